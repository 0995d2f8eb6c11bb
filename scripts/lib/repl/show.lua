-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- How a result prints.

local show = require("bpflua.show")

---@param value any
---@param options? bpflua.ShowOptions
---@return string
return function(value, options)
    return show.show(value, options)
end
