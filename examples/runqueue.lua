#!/usr/bin/env bpflua
-- SPDX-License-Identifier: Apache-2.0
-- Counts how many tasks were runnable on each processor whenever its run queue's clock moved while `dd` ran, twice:
-- with a `struct rq` that this script declares as far as it needs it, and with the kernel's own, which comes from BTF.
-- usage: runqueue.lua [SECONDS]

local body = [[
struct seen_t {
    u32 cpu;
    u32 running;
};
BPF_ARRAY(copies, struct rq, 1);
BPF_HASH(seen, struct seen_t, u64);

int get_myrq(struct pt_regs *ctx)
{
    char comm[TASK_COMM_LEN];
    bpf_get_current_comm(comm, sizeof(comm));
    if (comm[0] != 'd' || comm[1] != 'd' || comm[2] != 0)
        return 0;

    int zero = 0;
    struct rq *copy = copies.lookup(&zero);
    if (!copy)
        return 0;
    bpf_probe_read_kernel(copy, sizeof(*copy), (void *)PT_REGS_PARM1(ctx));

    struct seen_t key = {.cpu = bpf_get_smp_processor_id(), .running = copy->nr_running};
    u64 none = 0, *count = seen.lookup_or_try_init(&key, &none);
    if (count)
        __sync_fetch_and_add(count, 1);
    return 0;
}
]]

-- The front of the kernel's struct up to the number we want, and no more. Until Linux 7.0 a spin lock comes first.
local own = BPF{text = [[
#include <linux/version.h>

struct rq {
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 0, 0)
    u32 lock;
#endif
    unsigned int nr_running;
};
]] .. body}
local kernels = BPF{text = [[
#include "vmlinux.h"
]] .. body}

for _, b in ipairs{own, kernels} do
    b:attach_kprobe{event = "update_rq_clock", fn_name = "get_myrq"}
end
-- Both programs are there before it begins and after it has ended, so that they see the same.
local dd = io.popen("echo $$; exec dd if=/dev/zero of=/dev/null bs=1 2>/dev/null")
local pid = dd:read("*l")
BPF.sleep(tonumber(arg[1] or 1))
os.execute("kill " .. pid .. " 2>/dev/null")
dd:close()
for _, b in ipairs{own, kernels} do
    b:detach_kprobe{event = "update_rq_clock"}
end

local rows = {}
local function collect(b, column)
    for key, count in b.seen:items() do
        local name = ("%4d %8d"):format(key.cpu, key.running)
        rows[name] = rows[name] or {0, 0}
        rows[name][column] = tonumber(count)
    end
end
collect(own, 1)
collect(kernels, 2)

local names, agree = {}, true
for name, counts in pairs(rows) do
    table.insert(names, name)
    agree = agree and counts[1] == counts[2]
end
table.sort(names)
print(("%4s %8s %12s %12s"):format("CPU", "RUNNING", "OWN STRUCT", "FROM BTF"))
for _, name in ipairs(names) do
    print(("%s %12d %12d"):format(name, rows[name][1], rows[name][2]))
end
print(#names == 0 and "dd never ran" or agree and "both agree" or "they differ")
os.exit(agree and #names > 0)
