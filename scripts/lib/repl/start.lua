-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The ways into a prompt: `bpflua` alone, `bpflua -i script.lua`, and `BPF.repl()` in a script.

local boot = require("bpflua.boot")
local errors = require("bpflua.errors")
local frames = require("bpflua.repl.frame")
local native = require("bpflua.native")
local prompt = require("bpflua.repl.prompt")
local sessions = require("bpflua.repl.session")

local M = {}

-- Ends the text of a script that a prompt follows: there its locals are still alive.
local ENTER = "\nrequire('bpflua.repl.start').enter_after_script()"

-- Whether the script came to its end and the prompt was there.
local was_entered

---Opens a prompt whose statements see the caller's locals, and returns when it is left. Events are handled meanwhile.
function M.repl()
    if prompt.session() then
        errors.fail({ what = "cannot open a prompt", why = "there is one already" })
    end
    prompt.run(sessions.new(frames.of_caller(errors.is_embedded)))
end

---What a script does last when `-i` was given.
function M.enter_after_script()
    was_entered = true
    M.repl()
end

-- Runs the script; the locals of one that failed, or was interrupted.
local function run_script(text, name, args)
    local chunk = loadstring(text .. ENTER, name)
    local message
    if not chunk then
        -- It ends with `return`, or is wrong.
        chunk, message = loadstring(text, name)
    end
    if not chunk then
        io.stderr:write(native.prompt.syntax_error(name:sub(2), text, message))
        return {}
    end
    local locals = {}
    local ok, failure = boot.call(chunk, args, function(raised)
        locals = frames.copy_all(errors.is_embedded)
        return boot.on_error(raised)
    end)
    if not ok and errors.end_of_run(failure.raised) ~= "interrupted" then
        io.stdout:flush()
        io.stderr:write(sessions.report(failure))
    end
    return locals
end

---Runs a script, if there is one, then a prompt; then everything is detached.
---@param text? string the script's
---@param name string its chunk name
---@param args string[]
---@return string how as `boot.run` has it
---@return any detail
function M.interact(text, name, args)
    local locals = text and run_script(text, name, args) or {}
    if not was_entered then
        local session = sessions.new()
        session:declare(locals)
        prompt.run(session)
    end
    return boot.finish()
end

return M
