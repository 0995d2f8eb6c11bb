-- SPDX-License-Identifier: Apache-2.0
-- One completion of the prompt, timed: `complete.lua KIND SECONDS [TIMES]`. Prints the milliseconds of each, and how many
-- candidates the first one had. SECONDS pass between the start of the session and the first Tab. Without arguments it lists the
-- kinds. LARGE_PROGRAM in the environment is a program of many symbols.

local C = require("bpflua.cfunctions")

local PID = assert(io.open("/proc/self/stat")):read("*l"):match("^%d+")

-- What is typed for each kind; `%s` is another word each time, so that no answer of before is given again.
local KINDS = {
    { "names of the session and of Lua", "x%s = prin" },
    { "methods of BPF objects", "x%s = b:attach_kp" },
    { "maps of BPF objects", "x%s = b.co" },
    { "methods of maps", "x%s = b.counts:it" },
    { "options", "x%s = b:attach_kprobe{ev" },
    { "fields of events", "x%s = b.events:open_ring_buffer(function(cpu, event) print(event.ti" },
    { "fields of keys", "x%s = 1; for key in b.counts:keys() do print(key.co" },
    { "kernel functions", "x%s = count('kprobe:vfs_re" },
    { "kernel functions, by some letters", "x%s = count('kprobe:tcpconn" },
    { "kernel functions, nothing typed", "x%s = b:attach_kprobe{event = '" },
    { "tracepoints", "x%s = count('tracepoint:sched_sw" },
    { "tracepoints, nothing typed", "x%s = count('tracepoint:" },
    { "raw tracepoints", "x%s = count('rawtracepoint:sched_sw" },
    { "fields of tracepoints", "x%s = count('tracepoint:sched:sched_switch', 'prev_c" },
    { "arguments of kernel functions", "x%s = count('kprobe:vfs_read', 'file.f_path.den" },
    { "functions of a library", "x%s = count('uprobe:c:getpp" },
    { "functions of a large program", "x%s = count('uprobe:{program}:main" },
    { "USDT probes of a library", "x%s = count('usdt:stdc++:thr" },
    { "USDT probes of a process", "x%s = count('usdt:*:libstdcxx:thr|', {pid = {pid}})" },
    { "files", "x%s = BPF{src_file = '/usr/bin/" },
    { "programs", "!x%s | ca" },
    { "commands", ":pro" },
    { "packs", "x%s = require('" },
    { "C: members of the text's own structs", "x = [[ struct mine%s { int first, second; }; int f(void *ctx) { struct mine%s m; m.sec" },
    { "C: members of kernel structs", "x = [[ int f%s(void *ctx) { struct task_struct *task = (void *)bpf_get_current_task(); task->pi" },
    { "C: methods of maps", "x = [[ BPF_HASH(counts%s); int f(void *ctx) { counts%s.incr" },
    { "C: fields of tracepoints", "x = [[ int x%s; TRACEPOINT_PROBE(sched, sched_switch) { args->prev_" },
    { "C: helper functions", "x = [[ int f%s(void *ctx) { bpf_get_curr" },
    { "C: macros", "x = [[ int x%s; BPF_PERF_OU" },
}

local TEXT = [[
struct key_t { u32 pid; char comm[16]; };
struct event_t { u64 time; u32 pid; char comm[16]; };
BPF_HASH(counts, struct key_t, u64);
BPF_RINGBUF_OUTPUT(events, 8);
int on_open(struct tracepoint__syscalls__sys_enter_openat *args)
{
    struct event_t event = {};
    struct key_t key = {};
    counts.increment(key);
    events.ringbuf_output(&event, sizeof(event), 0);
    return 0;
}
]]

local function completed(complete, session, typed, number)
    local line = typed:gsub("%%s", number):gsub("{program}", os.getenv("LARGE_PROGRAM") or "/proc/self/exe"):gsub("{pid}", PID)
    local cursor = (line:find("|", 1, true) or #line + 1) - 1
    line = line:sub(1, cursor) .. line:sub(cursor + 2)
    local start = C.clock_now()
    local _, list = complete(session, line, cursor)
    return (C.clock_now() - start) * 1e3, #list
end

if not arg[1] then
    for _, kind in ipairs(KINDS) do
        print(kind[1])
    end
    return
end

local typed
for _, kind in ipairs(KINDS) do
    typed = kind[1] == arg[1] and kind[2] or typed
end
local b = BPF({ text = TEXT })
local session = require("bpflua.repl.session").new()
session:declare({ b = b })
BPF.sleep(tonumber(arg[2]))
-- What the prompt loads at the first Tab counts.
local start = C.clock_now()
local complete = require("bpflua.repl.complete").complete
local loading = (C.clock_now() - start) * 1e3
local native = require("bpflua.native")
for i = 1, tonumber(arg[3] or 1) do
    local took, count = completed(complete, session, typed, i)
    while count == 0 and native.complete.is_reading() do
        BPF.sleep(0.005)
        local more
        more, count = completed(complete, session, typed, i)
        took = took + 5 + more
    end
    print(("%.2f %d"):format(took + (i == 1 and loading or 0), count))
end
