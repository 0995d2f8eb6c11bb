-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "What the CPUs are busy with: stacks, sampled"
description = """
Looks at every CPU so many times a second, and counts the stacks that it finds running."""
parameters = [
  { name = "duration", positional = true, type = "duration", range = [0.01, 1e9], help = "stop after so many seconds" },
  { name = "pid", flags = "-p --pid", type = "pid", many = true, help = "look at these processes only, with commas between" },
  { name = "tid", flags = "-L --tid", type = "pid", many = true, help = "look at these threads only, with commas between" },
  { name = "user_only", flags = "-U --user-stacks-only", type = "flag", help = "show stacks of user space only" },
  { name = "kernel_only", flags = "-K --kernel-stacks-only", type = "flag", help = "show stacks of the kernel only" },
  { name = "frequency", flags = "-F --frequency", type = "integer", range = [1, 100000], metavar = "HZ", help = "samples a second of each CPU; default 49" },
  { name = "count", flags = "-c --count", type = "integer", range = [1, 1e15], metavar = "N", help = "one sample every N ns that a CPU is busy" },
  { name = "delimited", flags = "-d --delimited", type = "flag", help = "put `--` between kernel and user space" },
  { name = "annotations", flags = "-a --annotations", type = "flag", help = "end functions of the kernel in _[k]" },
  { name = "include_idle", flags = "-I --include-idle", type = "flag", help = "count idle CPUs, too" },
  { name = "hash_storage_size", flags = "--hash-storage-size", type = "integer", range = [1, 1e8], default = 40960, metavar = "N", help = "different samples at most" },
  { name = "stack_storage_size", flags = "--stack-storage-size", type = "integer", range = [1, 1e8], default = 16384, metavar = "N", help = "different stacks at most" },
  { name = "cpu", flags = "-C --cpu", type = "integer", range = [0, 65535], help = "look at this CPU only" },
  { name = "cgroupmap", flags = "--cgroupmap", type = "path", help = "look at the control groups in this pinned map only" },
  { name = "mntnsmap", flags = "--mntnsmap", type = "path", help = "look at the mount namespaces in this pinned map only" },
  { name = "address", flags = "-A --address", type = "flag", help = "show addresses, too" },
]
examples = [
  { run = "", help = "every CPU, 49 times a second, until Ctrl-C" },
  { run = "-F 99 10 --flamegraph out.svg", help = "a flame graph of ten seconds" },
  { run = "-p 1234 -U 5", help = "the functions of one process" },
]
[outputs.stacks]
help = "stacks, by process"
[requires]
attach = ["perf_event:software:cpu-clock"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args
if #args.pid > 0 and #args.tid > 0 then
    tool:fail("cannot look at processes and threads", "--pid and --tid exclude each other")
elseif args.user_only and args.kernel_only then
    tool:fail("cannot leave out all stacks", "-U and -K exclude each other")
elseif args.frequency and args.count then
    tool:fail("cannot sample in two ways", "--frequency and --count exclude each other")
end

local TEXT = [[
#include <linux/sched.h>

enum { ALL, PROCESSES, THREADS };
const volatile u32 only = ALL;
const volatile bool with_idle = false, with_kernel = true, with_user = true;

struct key {
    u32 pid;
    int kernel, user;
    char comm[TASK_COMM_LEN];
};
BPF_HASH(wanted, u32, u8, 4096);
BPF_HASH(counts, struct key, u64, 40960);
BPF_STACK_TRACE(stacks, 16384);

int sample(struct bpf_perf_event_data *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    u32 tgid = id >> 32, tid = id;
    if (!tid && !with_idle)
        return 0;
    if (only != ALL && !wanted.lookup(only == PROCESSES ? &tgid : &tid))
        return 0;
    if (container_should_be_filtered())
        return 0;
    struct key key = { .pid = tgid, .kernel = -14, .user = -14 };
    bpf_get_current_comm(key.comm, sizeof(key.comm));
    if (with_kernel)
        key.kernel = stacks.get_stackid(ctx, 0);
    if (with_user)
        key.user = stacks.get_stackid(ctx, BPF_F_USER_STACK);
    counts.atomic_increment(key);
    return 0;
}
]]

local b = BPF{
    text = BPF.filter_by_containers({ cgroupmap = args.cgroupmap, mntnsmap = args.mntnsmap }) .. TEXT,
    constants = {
        only = #args.pid > 0 and 1 or #args.tid > 0 and 2 or 0,
        with_idle = args.include_idle,
        with_kernel = not args.user_only,
        with_user = not args.kernel_only,
    },
    maps = { counts = { max_entries = args.hash_storage_size }, stacks = { max_entries = args.stack_storage_size } },
}
for _, id in ipairs(#args.pid > 0 and args.pid or args.tid) do
    b.wanted[id] = 1
end
b:attach_perf_event({
    ev_type = BPF.PerfType.SOFTWARE,
    ev_config = BPF.PerfSWConfig.CPU_CLOCK,
    fn_name = "sample",
    sample_freq = not args.count and (args.frequency or 49) or nil,
    sample_period = args.count,
    cpu = args.cpu,
})

local function print_stacks()
    local list = {}
    for key, count in b.counts:items() do
        list[#list + 1] = {
            frames = tool:frames(b.stacks, {
                kernel = key.kernel, user = key.user, pid = key.pid,
                delimited = args.delimited, annotate = args.annotations, address = args.address,
            }),
            value = tonumber(count),
            comm = ffi.string(key.comm),
            pid = key.pid,
        }
    end
    tool:stacks(list, { unit = "samples" })
end

local how = args.count and ("every %d ns of"):format(args.count) or ("%d times a second on"):format(args.frequency or 49)
tool:say(("Sampling %s %s... Ctrl-C ends it"):format(how, args.cpu and "CPU " .. args.cpu or "all CPUs"))
tool:run({ duration = args.duration, each = print_stacks })
