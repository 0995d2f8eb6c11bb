-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- A command that a tool runs to look at it: it stands still before its program begins until the tool has attached.

local M = {}

-- Beside a shell it would not hear Ctrl-C.
local START = "env --default-signal=INT,QUIT sh -c 'echo $$; exec >&2; kill -STOP $$; eval \"exec $0\"' '%s' </dev/null &"

---@class ToolCommand
---@field pid integer
local Command = {}
Command.__index = Command

---Starts a command, which waits. What it prints goes to standard error. The functions are those that the tool declares.
---@param line string for a shell
---@param popen function `io.popen`
---@param execute function `os.execute`
---@return ToolCommand
function M.start(line, popen, execute)
    local pipe = popen(START:format((line:gsub("'", "'\\''"))))
    local pid = tonumber(pipe:read("*l"))
    pipe:close()
    return setmetatable({ pid = pid, _execute = execute }, Command)
end

---Lets it begin.
function Command:go()
    self._execute("kill -CONT " .. self.pid)
end

---Ends it, when there is nothing to look at it with: it would stand still for good.
function Command:kill()
    self._execute("kill -KILL " .. self.pid)
end

---Whether a process is over: it holds no memory and opens no files. One that nobody waits for stays as a zombie.
---@param pid integer
---@param open function `io.open`
---@return boolean
function M.has_ended(pid, open)
    local file = open(("/proc/%d/stat"):format(pid))
    local stat = file and file:read("*a")
    if file then
        file:close()
    end
    return not stat or stat:find("%) [ZX] ") ~= nil
end

---What ends the tool once the command is over, for `tool:run{interval = …, each = …}`.
---@param open function `io.open`
---@return fun()
function Command:ends_with_it(open)
    return function()
        if M.has_ended(self.pid, open) then
            BPF.exit(0)
        end
    end
end

return M
