-- SPDX-License-Identifier: Apache-2.0
-- The records of tracepoints: in functions of any name, handed to others, with gaps, wide numbers, several texts at their
-- end, arrays as long as an enumerator says; and tracepoints that there are not.

local ffi = require("ffi")
local cgroups = require("help.cgroups")
local t = require("harness")

ffi.cdef([[
int getpid(void);
int kill(int pid, int signal);
long signal(int number, long action);
int open(const char *path, int flags, ...);
int close(int fd);
]])

local C, PID = ffi.C, ffi.C.getpid()
local NUMBERS = { kill = { x64 = 62, arm64 = 129 } }

local HEAD = [[
BPF_ARRAY(got, u64, 32);
#define SET(n, v) do { int k_ = (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define MINE (bpf_get_current_pid_tgid() >> 32 == PID)
]]

local function open(text)
    return BPF({ text = HEAD .. text, cflags = { "-DPID=" .. PID } })
end

local function values(b, count)
    local list = {}
    for slot = 0, count - 1 do
        list[#list + 1] = tonumber(ffi.cast("int64_t", b.got[slot]))
    end
    return table.concat(list, " ")
end

-- Offset and size of a field, as the kernel says.
local function place(category, event, field)
    for _, root in ipairs({ "/sys/kernel/tracing", "/sys/kernel/debug/tracing" }) do
        local file = io.open(("%s/events/%s/%s/format"):format(root, category, event))
        if file then
            local offset, size = file:read("*a"):match("[^\n]*[ *]" .. field .. "[;%[][^\n]*offset:(%d+);%s*size:(%d+)")
            file:close()
            return tonumber(offset), tonumber(size)
        end
    end
end

t.test("a function of the prefix's name, and one that takes the record along", function()
    local b = open([[
typedef struct tracepoint__syscalls__sys_enter_kill kill_args;
static int sum(kill_args *record, int n) { return record->pid + n; }
static noinline int number(struct tracepoint__syscalls__sys_enter_kill *record) { return record ? record->__syscall_nr : 0; }
int tracepoint__syscalls__sys_enter_kill(struct tracepoint__syscalls__sys_enter_kill *record)
{
    if (!MINE || record->pid != 7777777)
        return 0;
    SET(0, sum(record, 1)); SET(1, record->sig); SET(2, number(record));
    SET(3, offsetof(kill_args, pid)); SET(4, sizeof(record->pid)); SET(5, offsetof(kill_args, sig));
    return 0;
}
]])
    C.kill(7777777, 0)
    local pid, size = place("syscalls", "sys_enter_kill", "pid")
    t.equal(values(b, 6), ("7777778 0 %d %d %d %d"):format(NUMBERS.kill[jit.arch], pid, size, (place("syscalls", "sys_enter_kill", "sig"))))
    b:cleanup()
end)

t.test("a function of any name, attached by hand, with context for a stack and an event", function()
    local b = open([[
struct event_t { u32 sig; int stack; };
BPF_PERF_OUTPUT(events);
BPF_STACK_TRACE(stacks, 64);
int any_name(struct tracepoint__syscalls__sys_enter_kill *record)
{
    struct event_t event = { .sig = record->sig };
    if (!MINE || record->pid != 7777777)
        return 0;
    event.stack = stacks.get_stackid(record, BPF_F_USER_STACK);
    events.perf_submit(record, &event, sizeof(event));
    return 0;
}
]])
    t.equal(#b:probes(), 0)
    b:attach_tracepoint({ tp = "syscalls:sys_enter_kill", fn_name = "any_name" })
    local seen = {}
    b.events:open_perf_buffer(function(_, e) seen[#seen + 1] = { tonumber(e.sig), tonumber(e.stack) } end)
    C.kill(7777777, 9)
    b:perf_buffer_poll(1000)
    t.equal(#seen, 1)
    t.equal(seen[1][1], 9)
    t.equal(seen[1][2] >= 0, true)
    b:cleanup()
end)

t.test("an array as long as an enumerator says", function()
    local b = open([[
TRACEPOINT_PROBE(signal, signal_generate)
{
    if (MINE && args->pid == PID) {
        SET(0, args->sig); SET(1, args->errno); SET(2, args->code); SET(3, sizeof(args->comm));
        SET(4, args->comm[0]); SET(5, args->comm[1]); SET(6, sizeof(args->comm[0]));
    }
    return 0;
}
]])
    -- SIGUSR1, which is ignored.
    C.signal(10, 1)
    C.kill(PID, 10)
    local comm = io.open("/proc/self/comm"):read("*l")
    t.equal(values(b, 7), ("10 0 0 16 %d %d 1"):format(comm:byte(1), comm:byte(2)))
    b:cleanup()
end)

t.test("several texts at the end of a record", function()
    local b = open([[
struct seen_t { char path[64], comm[32], again[32], part[4]; };
BPF_ARRAY(seen, struct seen_t, 1);
TRACEPOINT_PROBE(cgroup, cgroup_attach_task)
{
    struct seen_t *s = seen.lookup(&(int){ 0 });

    if (!s || args->pid != PID)
        return 0;
    TP_DATA_LOC_READ_STR(s->path, dst_path, sizeof(s->path));
    TP_DATA_LOC_READ(s->comm, comm);
    bpf_probe_read_kernel_str(s->again, sizeof(s->again), (char *)args + (args->data_loc_comm & 0xffff));
    TP_DATA_LOC_READ_CONST(s->part, comm, 3);
    SET(0, args->dst_level); SET(1, args->data_loc_comm >> 16); SET(2, args->data_loc_dst_path >> 16);
    return 0;
}
]])
    local name = "bpflua_rewriter_" .. PID
    local folder = cgroups.make(name)
    local path, lengths
    cgroups.within(folder, function()
        local s = b.seen[0]
        path = ffi.string(s.path)
        local comm = io.open("/proc/self/comm"):read("*l")
        t.equal(ffi.string(s.comm), comm)
        t.equal(ffi.string(s.again), comm)
        t.equal(ffi.string(s.part, 3), comm:sub(1, 3))
        lengths = values(b, 3)
    end)
    cgroups.remove(folder)
    t.equal(path:match("[^/]*$"), name)
    local _, level = path:gsub("/", "")
    t.equal(lengths, ("%d %d %d"):format(level, #io.open("/proc/self/comm"):read("*l") + 1, #path + 1))
    b:cleanup()
end)

t.test("what a record points to is read where it lies", function()
    local b = open([[
TRACEPOINT_PROBE(syscalls, sys_enter_openat)
{
    char name[32];

    if (!MINE || bpf_probe_read_user_str(name, sizeof(name), args->filename) < 0 || name[1] != 'r' || name[7] != 'e')
        return 0;
    SET(0, args->filename[1]); SET(1, *args->filename); SET(2, args->flags & 3); SET(3, (int)args->dfd);
    return 0;
}
]])
    C.close(C.open("/rewriter-none", 0))
    local text = values(b, 4)
    t.equal(text:match("^114 47 0 "), "114 47 0 ")
    b:cleanup()
end)

t.test("tracepoints that there are not, with those that are alike", function()
    local body = "{\n    return args->prev_pid;\n}\n"
    local err = t.fails(BPF, { text = "TRACEPOINT_PROBE(sched, sched_swich)\n" .. body })
    t.contains(err, "incomplete definition of type 'struct tracepoint__sched__sched_swich'")
    t.contains(err, "hint: this kernel has no tracepoint `sched:sched_swich`; similar: `sched:sched_switch`")
    err = t.fails(BPF, { text = "TRACEPOINT_PROBE(net, kfree_skb) { return args->protocol; }" })
    t.contains(err, "this kernel has no tracepoint `net:kfree_skb`; similar: `skb:kfree_skb`")
    -- Nothing is asked of its record: said when it is attached.
    err = t.fails(BPF, { text = "TRACEPOINT_PROBE(sched, sched_swich) { return 0; }" })
    t.contains(err, "no such tracepoint in this kernel")
    err = t.fails(BPF, { text = "TRACEPOINT_PROBE(sched, sched_switch) { return args->pid; }" })
    t.contains(err, "no member named 'pid' in 'struct tracepoint__sched__sched_switch'")
end)
