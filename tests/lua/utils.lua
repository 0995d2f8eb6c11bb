-- SPDX-License-Identifier: Apache-2.0
-- The CPUs of the machine and the languages of processes, against what other programs say.

local ffi = require("ffi")
local t = require("harness")
local utils = require("bcc.utils")

ffi.cdef("int getpid(void); int kill(int pid, int signal);")

local function of_command(command)
    local pipe = assert(io.popen(command))
    local text = pipe:read("*l")
    pipe:close()
    return text
end

t.test("the CPUs that are online, and those that are possible", function()
    local online, possible = BPF.get_online_cpus(), BPF.get_possible_cpus()
    t.equal(#online, tonumber(of_command("getconf _NPROCESSORS_ONLN")))
    t.equal(#online <= #possible, true)
    local is_possible, before = {}, -1
    for _, cpu in ipairs(possible) do
        is_possible[cpu] = true
    end
    for _, cpu in ipairs(online) do
        t.equal(is_possible[cpu], true)
        t.equal(cpu > before, true)
        before = cpu
    end
end)

local ALL = { "c", "java", "perl", "php", "node", "ruby", "python" }

t.test("a program of the C library", function()
    local me = ffi.C.getpid()
    t.equal(utils.detect_language(ALL, me), "c")
    t.equal(utils.detect_language({ "java", "c" }, me), "c")
    t.equal(utils.detect_language({ "java" }, me), nil)
    t.equal(utils.detect_language({}, me), nil)
end)

t.test_unless(not BPF.find_exe("perl") and "there is no program `perl`", "a language's interpreter", function()
    -- It says so once it runs: before, it is a copy of this process.
    local perl = assert(io.popen("exec perl -e '$| = 1; print qq($$\\n); sleep 60'"))
    local pid = tonumber(perl:read("*l"))
    t.equal(utils.detect_language(ALL, pid), "perl")
    t.equal(utils.detect_language({ "c", "python" }, pid), nil)
    ffi.C.kill(pid, 9)
    perl:close()
    t.equal(utils.detect_language(ALL, pid), nil)
end)

t.test("wrong arguments", function()
    t.contains(t.fails(utils.detect_language, ALL), "`detect_language` needs the argument `pid`")
    t.contains(t.fails(utils.detect_language, "c", 1), "argument `candidates` of `detect_language` is a string")
end)
