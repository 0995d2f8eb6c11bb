-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- How a result prints.

---@param value any
---@param options? {width: integer?, json: boolean?}
---@return string
return function(value, options)
    if options and options.json then
        return json.encode(value)
    end
    return tostring(value)
end
