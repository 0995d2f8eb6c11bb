-- SPDX-License-Identifier: Apache-2.0
-- Programs and libraries that a test compiles for itself, and runs.

local M = {}

---Why nothing can be compiled here, if so.
---@param ... string other programs that the test takes
function M.lacking(...)
    for _, name in ipairs({ "gcc", ... }) do
        if not BPF.find_exe(name) then
            return ("there is no program `%s`"):format(name)
        end
    end
end

---Runs a command, which must succeed; what it printed.
function M.run(command)
    local pipe = assert(io.popen(command .. " 2>&1"))
    local text = pipe:read("*a")
    assert(pipe:close() == true, command .. ": " .. text)
    return text
end

---An empty folder, removed by `M.test`.
function M.folder()
    local name = os.tmpname()
    os.remove(name)
    M.run("mkdir " .. name)
    return name
end

---Compiles a text; gives the path.
---@param path string of what comes out
---@param text string C
---@param flags? string of gcc
---@param language? string "c++" in place of C
function M.compile(path, text, flags, language)
    local source = path .. ".source"
    local file = assert(io.open(source, "w"))
    file:write(text)
    file:close()
    M.run(("%s -x %s -o %s %s -x none %s"):format(language and "g++" or "gcc", language or "c", path, source, flags or ""))
    return path
end

---Calls a function with an empty folder, which is gone afterwards.
function M.in_folder(body)
    local folder = M.folder()
    local ok, err = xpcall(body, debug.traceback, folder)
    os.execute("rm -rf " .. folder)
    assert(ok, err)
end

---A process that says something when it is ready, and goes on when it is told to.
---@class Server
local Server = {}
Server.__index = Server

---Starts a command, which gets no file of ours, that prints its process ID and a line of its own, then waits for a line on its input.
---@param command string
---@param folder string for the pipes to it
---@return Server
function M.serve(command, folder)
    M.count = (M.count or 0) + 1
    local to, from = ("%s/to%d"):format(folder, M.count), ("%s/from%d"):format(folder, M.count)
    M.run(("mkfifo %s %s"):format(to, from))
    os.execute(("%s <%s >%s &"):format(command, to, from))
    local self = setmetatable({ to = assert(io.open(to, "we")), from = assert(io.open(from, "re")) }, Server)
    self.to:setvbuf("line")
    self.pid = tonumber(self:hear())
    return self
end

---The next line that it prints.
function Server:hear()
    return self.from:read("*l")
end

---Tells it a line; gives the next one that it prints.
function Server:ask(line)
    self.to:write(line, "\n")
    return self:hear()
end

---Ends its input, and waits for its end.
function Server:close()
    self.to:close()
    self.from:read("*a")
    self.from:close()
end

return M
