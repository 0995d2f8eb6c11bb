-- SPDX-License-Identifier: Apache-2.0
-- What samples of perf events say: the address that was touched, in the program's context and in the kernel's record; and
-- the counters that a program reads.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef([[
    int getpid(void);
    int getuid(void);
    void *mmap(void *at, size_t length, int protection, int flags, int fd, long offset);
    int munmap(void *at, size_t length);
]])
local PAGE, PAGES = 4096, 32
local me = ffi.C.getpid()

-- Touches so many pages for the first time; where they begin.
local function touch()
    local memory = ffi.cast("uint8_t *", ffi.C.mmap(nil, PAGES * PAGE, 3, 0x22, -1, 0))
    for page = 0, PAGES - 1 do
        memory[page * PAGE] = 1
    end
    ffi.C.munmap(memory, PAGES * PAGE)
    return ffi.cast("uint64_t", memory)
end

local function attr(type, config, period)
    local event = BPF.Perf.perf_event_attr()
    event.type, event.config, event.sample_period = type, config, period
    event.sample_type = BPF.PerfEventSampleFormat.ADDR
    event.exclude_kernel = 1
    return event
end

local SAMPLE = [[
struct sample_t { u64 address; u32 cpu, pid; char name[16]; };
BPF_HASH(samples, u64, struct sample_t, 4096);
static void keep(u64 address)
{
    struct sample_t sample = { .address = address, .cpu = bpf_get_smp_processor_id(), .pid = bpf_get_current_pid_tgid() };
    bpf_get_current_comm(&sample.name, sizeof(sample.name));
    samples.update(&address, &sample);
}
]]

-- Every page that is touched is in a sample, by this task.
local function check_pages(b)
    b:attach_perf_event_raw({ attr = attr(BPF.PerfType.SOFTWARE, BPF.PerfSWConfig.PAGE_FAULTS, 1), fn_name = "on_fault", pid = me, cpu = -1 })
    local base = touch()
    for page = 0, PAGES - 1 do
        local sample = b.samples[base + page * PAGE]
        t.equal(sample ~= nil, true)
        t.equal(sample.address, base + page * PAGE)
        t.equal(sample.pid, me)
        t.equal(ffi.string(sample.name), io.open("/proc/self/comm"):read("*l"))
    end
    b:cleanup()
end

t.test("the address of a page fault, in the context", function()
    check_pages(BPF({ text = SAMPLE .. [[
int on_fault(struct bpf_perf_event_data *ctx)
{
    keep(ctx->addr);
    return 0;
}
]] }))
end)

t.test("the address of a page fault, in the kernel's record", function()
    check_pages(BPF({ text = SAMPLE .. [[
#include <linux/perf_event.h>
int on_fault(struct bpf_perf_event_data *ctx)
{
    struct bpf_perf_event_data_kern *own = (struct bpf_perf_event_data_kern *)ctx;
    struct perf_sample_data *data = NULL;
    u64 address = 0;

    bpf_probe_read_kernel(&data, sizeof(data), &own->data);
    if (data)
        bpf_probe_read_kernel(&address, sizeof(address), &data->addr);
    keep(address);
    return 0;
}
]] }))
end)

-- Attaches to an event of the processor, or tells that there is none.
local function hardware(config, precise)
    local b = BPF({ text = SAMPLE .. "int on_sample(struct bpf_perf_event_data *ctx) { keep(ctx->addr); return 0; }" })
    local event = attr(BPF.PerfType.HARDWARE, config, 1000000)
    event.precise_ip = precise
    local ok, err = pcall(b.attach_perf_event_raw, b, { attr = event, fn_name = "on_sample", pid = -1, cpu = -1 })
    if ok then
        local limit = os.time() + 60
        while #b.samples == 0 and os.time() < limit do
            touch()
        end
        t.equal(#b.samples > 0, true)
    else
        -- Virtual machines have none.
        t.contains(err, "cannot attach `on_sample` to perf event hardware:")
        t.equal(err.errno == 2 or err.errno == 95, true)
        t.equal(#b:probes(), 0)
    end
    b:cleanup()
end

t.test("cycles of the processor, at precise places", function() hardware(BPF.PerfHWConfig.CPU_CYCLES, 2) end)
t.test("misses of the processor's cache", function() hardware(BPF.PerfHWConfig.CACHE_MISSES, 0) end)

t.test("a counter read at entry and return of a system call", function()
    local CALLS = 100
    local b = BPF({ cflags = { "-DNUM_CPUS=" .. #BPF.get_possible_cpus(), "-DPID=" .. me }, text = [[
BPF_PERF_ARRAY(counter, NUM_CPUS);
BPF_ARRAY(before, u64, NUM_CPUS);
BPF_HISTOGRAM(spent);
static int is_error(u64 value) { return (s64)value < 0 && (s64)value > -256; }
int entered(void *ctx)
{
    u32 cpu = bpf_get_smp_processor_id();
    u64 value = counter.perf_read(CUR_CPU_IDENTIFIER);

    if (bpf_get_current_pid_tgid() >> 32 == PID && !is_error(value))
        before.update(&cpu, &value);
    return 0;
}
int returned(void *ctx)
{
    u32 cpu = bpf_get_smp_processor_id();
    u64 value = counter.perf_read(CUR_CPU_IDENTIFIER), *start = before.lookup(&cpu);

    if (bpf_get_current_pid_tgid() >> 32 == PID && !is_error(value) && start && *start) {
        spent.increment(bpf_log2l(value - *start));
        spent.atomic_increment(bpf_log2l(value - *start));
    }
    return 0;
}
]] })
    local event = b:get_syscall_fnname("getuid")
    b:attach_kprobe({ event = event, fn_name = "entered" })
    b:attach_kretprobe({ event = event, fn_name = "returned" })
    local ok, err = pcall(b.counter.open_perf_event, b.counter, BPF.PerfType.HARDWARE, BPF.PerfHWConfig.CPU_CYCLES)
    if not ok then
        t.contains(err, "this machine does not have the event")
        t.equal(err.errno, 2)
        b.counter:open_perf_event(BPF.PerfType.SOFTWARE, BPF.PerfSWConfig.CPU_CLOCK)
    end
    for _ = 1, CALLS do
        ffi.C.getuid()
    end
    local sum = 0
    for slot, count in b.spent:items() do
        sum = sum + tonumber(count)
    end
    -- One that changes its processor in between may be left out, and never counted twice.
    t.equal(sum > CALLS and sum <= 2 * CALLS and sum % 2 == 0, true)
    b:cleanup()
end)
