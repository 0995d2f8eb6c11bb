-- SPDX-License-Identifier: Apache-2.0
-- Arrays by index, also from the end; the buffers of perf events, one for each CPU.

local t = require("harness")

t.test("a value by its index, and all of them", function()
    local b = BPF({ text = "BPF_ARRAY(numbers, u64, 128);" })
    b.numbers[0] = 100
    b.numbers[127] = 1000
    local count = 0
    for index, value in b.numbers:items() do
        t.equal(index, count)
        t.equal(value, index == 0 and 100ULL or index == 127 and 1000ULL or 0ULL)
        count = count + 1
    end
    t.equal(count, 128)
    t.equal(#b.numbers, 128)
end)

t.test("negative indexes count from the end", function()
    local b = BPF({ text = "BPF_ARRAY(numbers, u64, 128); BPF_PERCPU_ARRAY(percpu, u64, 4);" })
    b.numbers[0], b.numbers[-2], b.numbers[127] = 100, 37, 1000
    t.equal(b.numbers[126], 37ULL)
    t.equal(b.numbers[-2], 37ULL)
    t.equal(b.numbers[-1], b.numbers[127])
    t.equal(b.numbers[-128], 100ULL)
    t.contains(t.fails(function() return b.numbers[-129] end), "index -129 of map `numbers`: it has 128 elements, counted from 0")
    b.numbers[-1] = nil
    t.equal(b.numbers[127], 0ULL)
    b.percpu[-1] = 5
    t.equal(b.percpu:max(3), 5ULL)
    t.equal(b.percpu:max(-1), 5ULL)
end)

-- Has both system calls that `sleep` may make report the CPU that they were made on.
local function on_sleep()
    local b = BPF({ text = [[
struct nap_t { u64 ts; u32 cpu; char comm[16]; };
BPF_PERF_OUTPUT(naps);
int on_sleep(void *ctx)
{
    struct nap_t nap = { .ts = bpf_ktime_get_ns(), .cpu = bpf_get_smp_processor_id() };
    bpf_get_current_comm(&nap.comm, sizeof(nap.comm));
    naps.perf_submit(ctx, &nap, sizeof(nap));
    return 0;
}
]] })
    for _, name in ipairs({ "nanosleep", "clock_nanosleep" }) do
        b:attach_kprobe({ event = b:get_syscall_fnname(name), fn_name = "on_sleep" })
    end
    return b
end

t.test("events of a system call come out of a perf buffer", function()
    local b = on_sleep()
    local naps, lost, size_of_all = {}, 0, 0
    b.naps:open_perf_buffer(function(_, nap, size)
        if ("%s"):format(nap.comm) == "sleep" then
            naps[#naps + 1] = nap.ts
        end
        size_of_all = size_of_all + size
    end, { lost_cb = function(count) lost = lost + count end })
    local before = BPF.monotonic_time()
    os.execute("sleep 0.1")
    b:perf_buffer_poll(10000)
    t.equal(#naps, 1)
    t.equal(naps[1] > before and naps[1] < BPF.monotonic_time(), true)
    t.equal(size_of_all >= 8 + 4 + 16, true)
    t.equal(lost, 0)
    b:cleanup()
end)

t.test_unless(not BPF.find_exe("taskset") and "there is no program `taskset`", "events come from every CPU", function()
    local b = on_sleep()
    local seen = {}
    b.naps:open_perf_buffer(function(cpu, nap)
        t.equal(cpu, nap.cpu)
        if ("%s"):format(nap.comm) == "sleep" then
            seen[cpu] = (seen[cpu] or 0) + 1
        end
    end, { lost_cb = function(count, cpu) error(("%d events of CPU %d are lost"):format(count, cpu)) end })
    local cpus = BPF.get_online_cpus()
    for _, cpu in ipairs(cpus) do
        os.execute(("taskset -c %d sleep 0.01"):format(cpu))
    end
    local limit = os.time() + 30
    repeat
        b:perf_buffer_poll(100)
        local missing
        for _, cpu in ipairs(cpus) do
            missing = missing or not seen[cpu] and cpu
        end
    until not missing or os.time() > limit
    for _, cpu in ipairs(cpus) do
        t.equal(seen[cpu], 1)
    end
    b:cleanup()
end)
