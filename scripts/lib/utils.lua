-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `utils`, the second argument of a bcc-lua script; also `require("bpflua.utils")`.

---@class bpflua.utils
---@field argparse fun(name?: string, description?: string): bpflua.argparse.Parser
---@field posix bpflua.posix clocks and sleep
---@field USDT table as the global of that name
local utils = {
    argparse = require("bpflua.argparse"),
    posix = require("bpflua.posix"),
    USDT = require("bpflua.usdt").USDT,
}

return utils
