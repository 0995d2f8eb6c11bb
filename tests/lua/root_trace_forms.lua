-- SPDX-License-Identifier: Apache-2.0
-- Lines of the trace pipe in both forms, one after the other, in one script.

local t = require("harness")
local ffi = require("ffi")

ffi.cdef("int getpgid(int pid);")
require("help.trace_pipe").hold()

local b = BPF({ text = [[
RAW_TRACEPOINT_PROBE(sys_enter)
{
    if (bpf_get_current_pid_tgid() >> 32 == PID && ctx->args[1] == GETPGID)
        bpf_trace_printk("forms of a line\n");
    return 0;
}
]], cflags = { "-DPID=" .. io.open("/proc/self/stat"):read("*n"), "-DGETPGID=" .. (jit.arch == "x64" and 121 or 155) } })

-- Other scripts may write to the pipe, and other tests read from it: what is ours is tried for again.
local function next_of_ours(read)
    for _ = 1, 200 do
        ffi.C.getpgid(0)
        BPF.sleep(0.01)
        local found = read()
        if found then
            return found
        end
    end
    error("none of our lines came")
end

local function line()
    local text = b:trace_readline(true)
    return text and text:find("forms of a line", 1, true) and text or nil
end

local function fields()
    local task, _, _, _, ts, msg = b:trace_fields(true)
    return task and msg == "forms of a line" and type(ts) == "number" and msg or nil
end

t.test("a line, its fields, a line again", function()
    t.contains(next_of_ours(line), "bpf_trace_printk: forms of a line")
    t.equal(next_of_ours(fields), "forms of a line")
    t.contains(next_of_ours(line), "forms of a line")
    t.equal(next_of_ours(fields), "forms of a line")
end)

t.test("the pipe as an object", function()
    local pipe = b:trace_open(true)
    t.contains(next_of_ours(function()
        local text = pipe:readline()
        return text and text:find("forms of a line", 1, true) and text or nil
    end), "forms of a line")
    t.equal(next_of_ours(function()
        local task, _, _, _, _, msg = pipe:trace_fields()
        return task and msg == "forms of a line" and msg or nil
    end), "forms of a line")
    ffi.C.getpgid(0)
    local lines = 0
    next_of_ours(function()
        for text in pipe:lines() do
            lines = lines + (text:find("forms of a line", 1, true) and 1 or 0)
        end
        return lines > 0
    end)
    t.contains(t.fails(pipe.readline, pipe, 5), "argument `nonblocking` of `readline`")
    t.contains(t.fails(b.trace_open, b, 5), "argument `nonblocking` of `trace_open`")
end)

t.test("what trace_print does not understand", function()
    local timer = BPF.interval(0.01, function() ffi.C.getpgid(0) end)
    t.contains(t.fails(b.trace_print, b, "{nosuch}"), "`trace_print` has no field `{nosuch}`")
    BPF.cancel(timer)
end)

-- The last one, for it asks the script to end.
t.test("what trace_print writes", function()
    local function printed(fmt)
        local shown
        local write = io.write
        io.write = function(text)
            shown = shown or text:find("forms of a line", 1, true) and text or nil
            if shown then
                BPF.exit()
            end
            return true
        end
        local timer = BPF.interval(0.01, function() ffi.C.getpgid(0) end)
        local ok, err = pcall(b.trace_print, b, fmt)
        io.write = write
        BPF.cancel(timer)
        assert(ok, err)
        return shown
    end
    t.equal(printed("{msg:>20}|{2:3}|{pid:<9d}|"):match("^ +forms of a line|  %d|%d+ +|\n$") ~= nil, true)
end)
