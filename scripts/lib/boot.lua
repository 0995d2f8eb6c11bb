-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The first file that runs in a VM: sets the globals, and runs scripts to their end.

local contract = require("bpflua.contract")
local errors = require("bpflua.errors")
local events = require("bpflua.events")
local finding = require("bpflua.finding")
local native = require("bpflua.native")

local M = {}

-- The frames of the user's own code, innermost first.
local function user_frames()
    local frames = {}
    local level = 2
    while true do
        local frame = debug.getinfo(level, "Sln")
        if not frame then
            return frames
        end
        if frame.what ~= "C" and frame.currentline > 0 and not errors.is_embedded(frame.source) then
            frames[#frames + 1] = {
                file = frame.source:gsub("^[@=]", ""):match("^[^\n]*"),
                line = frame.currentline,
                name = frame.what ~= "main" and frame.name or nil,
            }
        end
        level = level + 1
    end
end

---The handler of `xpcall` for the user's own code.
function M.on_error(raised)
    return { raised = raised, frames = user_frames() }
end

-- The text of `-e`; what it made of one-liners runs until Ctrl-C.
local COMMAND_LINE = "=-e"

---Makes globals of the one-liners' words: for `-e` and the prompt, where nobody has names of his own in their way.
function M.add_words()
    for name, word in pairs(require("bpflua.oneliners")) do
        if rawget(_G, name) == nil then
            rawset(_G, name, word)
        end
    end
end

-- A script is plain, or it returns `function(BPF, utils)` as bcc-lua's scripts do.
local function whole_script(chunk, args)
    local body = chunk(unpack(args))
    if type(body) == "function" then
        contract.enter()
        body(BPF, require("bpflua.utils"))
    end
end

-- Runs a script, and what it left running as one-liners.
local function run_whole(chunk, args)
    whole_script(chunk, args)
    local run = debug.getinfo(chunk, "S").source == COMMAND_LINE and package.loaded["bpflua.oneliner_run"]
    if run then
        run.finish()
    end
end

---Calls a script.
---@param chunk function
---@param args string[]
---@param on_error? fun(raised: any): table in place of `M.on_error`
---@return boolean ok
---@return {raised: any, frames: table}? failure
function M.call(chunk, args, on_error)
    finding.add_beside()
    local source = debug.getinfo(chunk, "S").source
    if source == COMMAND_LINE then
        M.add_words()
    end
    require("bpflua.globals").watch(source)
    local grants = native.pack.grants()
    if grants then
        require("bpflua.sandbox").install(chunk, grants)
    end
    return xpcall(on_error and whole_script or run_whole, on_error or M.on_error, chunk, args)
end

---Tells of losses, detaches everything.
---@return "exit" how
---@return integer status
function M.finish()
    events.finish()
    BPF.cleanup()
    io.flush()
    return "exit", BPF._status or 0
end

-- Ctrl-C while this is under way: the script has ended, and what is left to do is done all the same.
local function finish_whatever_comes()
    local ok, raised = pcall(M.finish)
    if not ok and errors.end_of_run(raised) == "interrupted" then
        M.finish()
    elseif not ok then
        error(raised, 0)
    end
end

---Runs a script to its end; then everything it attached is detached.
---@param chunk function the loaded script
---@param args string[] its arguments
---@return "exit"|"interrupted"|"broken pipe"|"failed" how it ended
---@return any detail the exit status, or the raised value
---@return table? frames the stack of a failed script
function M.run(chunk, args)
    local ok, failure = M.call(chunk, args)
    finish_whatever_comes()
    local raised = not ok and failure.raised
    local how = not ok and errors.end_of_run(raised)
    if ok or how == "interrupted" and events.was_told() then
        return "exit", BPF._status or 0
    elseif how then
        return how
    end
    return "failed", raised, failure.frames
end

---Checks what a script would compile; see `check.lua`.
function M.check(chunk, args)
    return require("bpflua.check").run(M, chunk, args)
end

BPF = require("bpflua.bpf")
package.loaded.bpf = BPF
package.loaded.bcc = BPF
USDT = require("bpflua.usdt").USDT
-- bcc-lua's own modules, by the names that its tests require them by.
package.loaded["bcc.usdt"] = USDT
package.preload["bcc.bpf"] = function()
    contract.enter()
    return BPF
end
package.preload["bcc.init"] = function()
    contract.enter()
    return { BPF = BPF, USDT = USDT }
end
finding.add_packs()
json = require("bpflua.json")
require("bpflua.format").install()
require("bpflua.bcc_lua").install()
require("bpflua.bcc_python").install(BPF)
require("bpflua.json_lines").install()
-- The next collection is due when the heap has grown by its pause's percentage (what -1 says), not at once.
collectgarbage("restart", -1)

return M
