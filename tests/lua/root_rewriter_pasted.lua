-- SPDX-License-Identifier: Apache-2.0
-- Names that only the preprocessor knows, because macros of the text put them together: tracepoints and their records, types,
-- members, constants, options of the kernel, maps.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef("int getpid(void); int kill(int pid, int signal);")

local PID = ffi.C.getpid()
local PACKET = ("\0"):rep(64)
local HEAD = [[
BPF_ARRAY(got, u64, 16);
#define SET(n, v) do { int k_ = (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define MINE (bpf_get_current_pid_tgid() >> 32 == PID)
]]

local function open(text)
    return BPF({ text = HEAD .. text, cflags = { "-DPID=" .. PID } })
end

-- What is in the first slots after a signal to nobody.
local function at_kill(text, count)
    local b = open(text)
    ffi.C.kill(7777777, 9)
    local list = {}
    for slot = 0, (count or 1) - 1 do
        list[#list + 1] = tonumber(b.got[slot])
    end
    b:cleanup()
    return table.concat(list, " ")
end

t.test("tracepoints by a macro, in part and whole", function()
    t.equal(at_kill([[
#define ENTER(event) TRACEPOINT_PROBE(syscalls, event)
ENTER(sys_enter_kill) { if (MINE) SET(0, args->sig); return 0; }
]]), "9")
    t.equal(at_kill([[
#define EACH(slot, call, field) TRACEPOINT_PROBE(syscalls, sys_enter_##call) { if (MINE) SET(slot, args->field); return 0; }
EACH(0, kill, sig) EACH(1, openat, flags)
]]), "9")
    t.equal(at_kill([[
#define PROBE(category, event) TRACEPOINT_PROBE(category, event)
#define EVENT sys_enter_kill
PROBE(syscalls, EVENT) { if (MINE) SET(0, args->pid); return 0; }
]]), "7777777")
    t.equal(at_kill([[
TRACEPOINT_PROBE(/* the category */ syscalls, // and the event
    sys_enter_kill) { if (MINE) { SET(0, args->sig); SET(1, args->pid); } return 0; }
]], 2), "9 7777777")
end)

t.test("the record of a tracepoint", function()
    local b = open([[
#define RECORD(category, event) struct tracepoint__##category##__##event
static int sig(RECORD(syscalls, sys_enter_kill) *record) { return record->sig; }
int f(RECORD(syscalls, sys_enter_kill) *record) { if (MINE) { SET(0, sig(record)); SET(1, sizeof(*record)); } return 0; }
]])
    b:attach_tracepoint({ tp = "syscalls:sys_enter_kill", fn_name = "f" })
    ffi.C.kill(7777777, 5)
    t.equal(tonumber(b.got[0]), 5)
    t.equal(tonumber(b.got[1]), 32)
    b:cleanup()
end)

t.test("types, members and constants", function()
    local b = open([[
#define RECORD(name) struct name##_struct
#define REAL(name) real_##name
#define E(name) E##name
#define O(name) O_##name
#define ONE(a, b) a##b
SEC("raw_tp") int f(void *ctx)
{
    RECORD(task) *task = (RECORD(task) *)bpf_get_current_task();
    struct ONE(task_, struct) *again = (void *)task;
    struct ONE(i, node) *inode = 0;

    SET(0, task->tgid); SET(1, task->REAL(parent)->tgid); SET(2, again->tgid);
    SET(3, E(PERM)); SET(4, O(CREAT)); SET(5, ONE(BPF_, NOEXIST)); SET(6, sizeof(struct ONE(list_, head)));
    SET(7, sizeof(inode->ONE(i_, ino)));
    return 0;
}
]])
    b:test_run({ fn_name = "f" })
    local parent = tonumber((io.open("/proc/self/stat"):read("*l"):gsub("^%d+ %b() ", ""):match("^%S+ (%d+)")))
    for slot, wanted in pairs({ [0] = PID, parent, PID, 1, 64, 1, 16, 8 }) do
        t.equal(tonumber(b.got[slot]), wanted)
    end
    b:cleanup()
end)

t.test("iterators", function()
    local b = open([[
#define OVER(what) BPF_ITER(what)
OVER(task) { struct task_struct *task = ctx->task; if (task && task->pid == PID) SET(0, task->tgid); return 0; }
]])
    b:iter("bpf_iter__task"):read()
    t.equal(tonumber(b.got[0]), PID)
    b:cleanup()
end)

t.test("maps whose names, keys, leaves and sizes are macros", function()
    local maps = {
        "BPF_HASH(NAME, KEY, LEAF, SIZE)", "BPF_PERCPU_HASH(NAME, KEY, LEAF, SIZE)", "BPF_LRU_HASH(NAME, KEY, LEAF, SIZE)",
        "BPF_ARRAY(NAME, LEAF, SIZE)", "BPF_PERCPU_ARRAY(NAME, LEAF, SIZE)", "BPF_HISTOGRAM(NAME, int, SIZE)",
        "BPF_LPM_TRIE(NAME, KEY, LEAF, SIZE)", "BPF_QUEUE(NAME, LEAF, SIZE)", "BPF_STACK(NAME, LEAF, SIZE)",
        "BPF_STACK_TRACE(NAME, SIZE)", "BPF_PROG_ARRAY(NAME, SIZE)", "BPF_CGROUP_ARRAY(NAME, SIZE)", "BPF_DEVMAP(NAME, SIZE)",
        "BPF_SOCKMAP(NAME, SIZE)", 'BPF_TABLE("hash", KEY, LEAF, NAME, SIZE)', 'BPF_TABLE_PUBLIC("hash", KEY, LEAF, NAME, SIZE)',
    }
    local head = "#define NAME foo\n#define KEY u64\n#define LEAF u64\n#define SIZE 16\n"
    for _, map in ipairs(maps) do
        local b = BPF({ text = head .. map .. ";" })
        t.equal(map .. " " .. b.foo.max_entries, map .. " 16")
        b:cleanup()
    end
    local b = BPF({ text = head .. [[
#define PAIR(name, key) BPF_HASH(name##_start, key, u64); BPF_HASH(name##_end, key);
PAIR(read, u32) PAIR(write, u64)
BPF_PERF_OUTPUT(PERF);
BPF_RINGBUF_OUTPUT(RING, 8);
SEC("socket") int f(struct __sk_buff *skb)
{
    u64 n = 7;

    read_start.increment(1); write_end.increment(2, 5);
    PERF.perf_submit(skb, &n, sizeof(n));
    return RING.ringbuf_output(&n, sizeof(n), 0);
}
]], cflags = { "-DPERF=events", "-DRING=records" } })
    local seen = {}
    b.events:open_perf_buffer(function(_, e) seen[#seen + 1] = tostring(e) end)
    b.records:open_ring_buffer(function(_, e) seen[#seen + 1] = tostring(e) end)
    t.equal(b:test_run({ fn_name = "f", data_in = PACKET }).retval, 0)
    b:perf_buffer_poll(1000)
    b:ring_buffer_poll(0)
    t.equal(table.concat(seen, " "), "7ULL 7ULL")
    t.equal(b.read_start[1] + b.write_end[2], 6ULL)
    b:cleanup()
end)

t.test("options of the kernel", function()
    local b = BPF({ text = [[
#define HAS(name) IS_ENABLED(CONFIG_##name)
SEC("socket") int f(struct __sk_buff *skb) { return HAS(BPF_SYSCALL) + 2 * HAS(NO_SUCH_THING) + 4 * IS_ENABLED(CONFIG_BPF_SYSCALL); }
]] })
    t.equal(b:test_run({ fn_name = "f", data_in = PACKET }).retval, 5)
end)

t.test("what the kernel has not stays an error at its place", function()
    local err = t.fails(function()
        open("#define ENTER(event) TRACEPOINT_PROBE(syscalls, sys_enter_##event)\nENTER(kil) { SET(0, args->sig); return 0; }\n")
    end)
    t.contains(err, "incomplete definition of type 'struct tracepoint__syscalls__sys_enter_kil'")
    t.contains(err, "this kernel has no tracepoint `syscalls:sys_enter_kil`; similar: `syscalls:sys_enter_kill`")
    err = t.fails(function()
        open("#define E(name) E##name\nint f(struct pt_regs *ctx) { return E(NOTHINGLIKEIT); }\n")
    end)
    t.contains(err, "use of undeclared identifier 'ENOTHINGLIKEIT'")
end)
