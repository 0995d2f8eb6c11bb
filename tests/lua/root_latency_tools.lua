-- SPDX-License-Identifier: Apache-2.0
-- Tools of `../runtime/tools`: each starts, prints what it sees, and ends after a time and by Ctrl-C.

local ffi = require("ffi")
local t = require("harness")
local programs = require("help.programs")

ffi.cdef("int kill(int pid, int signal);")

local BPFLUA = programs.run("readlink /proc/$PPID/exe"):match("%S+")

-- What a tool prints until its end; `see` is called with each line and says when it has seen enough.
local function run(command, see)
    local pipe = assert(io.popen(("echo $$; exec %s ../runtime/tools/%s 2>&1"):format(BPFLUA, command)))
    local pid, lines = tonumber(pipe:read("*l")), {}
    for line in pipe:lines() do
        lines[#lines + 1] = line
        if see and see(line) then
            ffi.C.kill(pid, 2)
            see = nil
        end
    end
    t.equal(pipe:close(), true)
    return table.concat(lines, "\n") .. "\n"
end

t.test("wqlat", function()
    local header = "Tracing the waits of work... Ctrl-C ends it\n"
    local text = run("wqlat.lua 1.5")
    t.equal(text:sub(1, #header), header)
    t.contains(text, "     usecs               : count     distribution\n")
    t.equal(text:find(" : [1-9]%d* *|%*") ~= nil, true)
    text = run("wqlat.lua -N", function(line) return line .. "\n" == header and (BPF.sleep(1) or true) end)
    t.contains(text, "nsecs")
    t.contains(run("wqlat.lua --help"), "Usage: wqlat.lua")
end)

t.test("softirqslower", function()
    local function row(line)
        local cpu, name, us = line:match("^%d%d:%d%d:%d%d +(%d+) +(%S+) +([%d.]+) ")
        return cpu and tonumber(us) >= 0 and not tonumber(name)
    end
    local text = run("softirqslower.lua 0", row)
    t.equal(text:match("^%S+ +%S+ +%S+ +%S+ +%S+"):gsub(" +", " "), "TIME CPU SOFTIRQ US COMM")
    local count = 0
    for line in text:gmatch("[^\n]+") do
        count = count + (row(line) and 1 or 0)
    end
    t.equal(count > 0, true)
    -- Nothing takes an hour.
    text = run("softirqslower.lua 3600000000 -d 0.5")
    t.equal(select(2, text:gsub("\n", "")), 1)
end)
