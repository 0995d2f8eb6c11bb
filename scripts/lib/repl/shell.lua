-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `!command`: programs started from the prompt. Events are handled while one runs.

local errors = require("bpflua.errors")
local events = require("bpflua.events")
local native = require("bpflua.native")
local sessions = require("bpflua.repl.session")

local M = {}

local function ending(line, pid, status, signal)
    local how = signal and "was ended by signal " .. signal or "ended with status " .. status
    return ("`%s` (process %d) %s\n"):format(line, pid, how)
end

-- Tells the end of a process when it comes.
local function on_end(process, fn)
    local loop = events.loop()
    local watch
    watch = loop:watch(native.shell.fd(process), function()
        loop:unwatch(watch)
        fn(native.shell.finish(process))
    end)
end

---Runs a program with the terminal, to its end.
---@param line string for the shell
---@param screen "events"|"taken" whether output is shown meanwhile
---@return integer? status
---@return integer? signal
---@return integer pid
function M.foreground(line, screen)
    native.prompt.screen(screen)
    -- From here on Ctrl-C is for the program: raised here, it would leave the program behind with the terminal.
    local loop, was_used = events.loop(), events.loop().used
    loop.used = true
    local process = native.shell.start(line, false, true)
    local is_done, status, signal = false, nil, nil
    on_end(process, function(its_status, its_signal)
        is_done, status, signal = true, its_status, its_signal
    end)
    require("bpflua.repl.prompt").serve_until(function()
        return is_done
    end)
    loop.used = was_used
    native.prompt.screen("statement")
    return status, signal, native.shell.pid(process)
end

local function background(session, line)
    local process = native.shell.start(line, true, false)
    local pid = native.shell.pid(process)
    session:note_process(pid)
    sessions.say(("`%s` is process %d\n"):format(line, pid))
    on_end(process, function(status, signal)
        sessions.say(ending(line, pid, status, signal))
    end)
end

---Runs a shell's command; one that ends in `&` in the background.
---@param session bpflua.Session
---@param line string
function M.run(session, line)
    line = line:match("^%s*(.-)%s*$")
    local behind = line:match("^(.-)%s*&$")
    if line == "" or behind == "" then
        errors.fail({ what = "`!` needs a command", hints = { "!ls /sys/kernel/tracing" } })
    elseif behind and behind:sub(-1) ~= "&" then
        return background(session, behind)
    end
    local status, signal, pid = M.foreground(line, "events")
    session:note_process(pid)
    if signal or status and status ~= 0 then
        sessions.say(ending(line, pid, status, signal))
    end
end

return M
