-- SPDX-License-Identifier: Apache-2.0
-- Samples of perf events.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef([[
    int getpid(void);
    void *mmap(void *at, size_t length, int protection, int flags, int fd, long offset);
    int munmap(void *at, size_t length);
]])

local b = BPF({
    text = [[
BPF_HASH(samples, u32, u64);
BPF_ARRAY(periods, u64, 1);
int on_sample(struct bpf_perf_event_data *ctx) {
    u32 pid = bpf_get_current_pid_tgid() >> 32;
    int zero = 0;
    u64 period = ctx->sample_period;
    samples.increment(pid);
    periods.update(&zero, &period);
    return 0;
}
]],
})
local me = ffi.C.getpid()

local function samples()
    return tonumber(b.samples[me] or 0)
end

-- Works until there are this many more samples.
local function work(count)
    local wanted, limit = samples() + count, os.time() + 60
    local sum = 0
    while samples() < wanted do
        for i = 1, 100000 do
            sum = sum + i
        end
        t.equal(os.time() < limit, true)
    end
end

t.test("time is sampled so many times a second, on each CPU", function()
    t.equal(b:attach_perf_event({
        ev_type = BPF.PerfType.SOFTWARE,
        ev_config = BPF.PerfSWConfig.CPU_CLOCK,
        fn_name = "on_sample",
        sample_freq = 999,
    }), b)
    local probe = b:probes()[1]
    t.equal(probe.kind, "perf_event")
    t.equal(probe.target, "software:cpu-clock")
    t.equal(probe.mechanism, "perf_event")
    work(20)
    b:detach_perf_event(BPF.PerfType.SOFTWARE, BPF.PerfSWConfig.CPU_CLOCK)
    t.equal(#b:probes(), 0)
    local before = samples()
    local start = os.clock()
    while os.clock() - start < 0.05 do end
    t.equal(samples(), before)
end)

t.test("one process, once every so many nanoseconds", function()
    b:attach_perf_event({ ev_type = 1, ev_config = 0, fn_name = "on_sample", sample_period = 1000000, pid = me })
    b.samples:clear()
    work(10)
    t.equal(b.samples:count(), 1)
    t.equal(tonumber(b.periods[0]), 1000000)
    b:detach_perf_event({ ev_type = 1, ev_config = 0 })
end)

t.test("page faults are counted one by one", function()
    b:attach_perf_event({ ev_type = 1, ev_config = BPF.PerfSWConfig.PAGE_FAULTS, fn_name = "on_sample", sample_period = 1, pid = me })
    -- Private and anonymous: each page is there once it is touched.
    local memory = ffi.cast("uint8_t *", ffi.C.mmap(nil, 64 * 4096, 3, 0x22, -1, 0))
    local before = samples()
    for page = 0, 63 do
        memory[page * 4096] = 1
    end
    t.equal(samples() - before >= 64, true)
    ffi.C.munmap(memory, 64 * 4096)
    b:detach_perf_event(1, BPF.PerfSWConfig.PAGE_FAULTS)
end)

t.test("every attribute by hand", function()
    local attr = BPF.Perf.perf_event_attr()
    attr.type, attr.config, attr.sample_period = BPF.PerfType.SOFTWARE, BPF.PerfSWConfig.TASK_CLOCK, 2000000
    attr.exclude_kernel = 1
    b:attach_perf_event_raw({ attr = attr, fn_name = "on_sample", pid = me, cpu = -1 })
    work(3)
    t.equal(tonumber(b.periods[0]), 2000000)
    b:detach_perf_event(1, 1)
    b:attach_perf_event_raw({ attr = { type = 1, config = 0, freq = 1, sample_freq = 99 }, fn_name = "on_sample" })
    t.equal(b:probes()[1].target, "software:cpu-clock")
    b:detach_perf_event(1, 0)
end)

t.test("what cannot be attached", function()
    local function fails(options)
        options.fn_name = "on_sample"
        return t.fails(function() b:attach_perf_event(options) end)
    end
    t.contains(fails({ ev_type = 1, ev_config = 0 }), "`sample_period` or `sample_freq` is needed; neither is given")
    t.contains(fails({ ev_type = 1, ev_config = 99, sample_freq = 1 }), "there is no event of this number")
    t.contains(fails({ ev_type = 1, ev_config = 0, sample_freq = 1, cpu = 4000 }), "CPU 4000 is not online")
    t.contains(fails({ ev_type = 1, ev_config = 0, sample_freq = 1, pid = 99999999 }), "no process 99999999 (ESRCH)")
    t.contains(fails({ ev_type = 1, ev_config = 0, sample_freq = 1e9 }), "samples a second are allowed (EINVAL)")
    t.contains(fails({ ev_config = 0, sample_freq = 1 }), "`attach_perf_event` needs the option `ev_type`")
    t.contains(t.fails(function() return BPF.PerfSWConfig.CPU_CLOK end), "did you mean `CPU_CLOCK`")
    t.contains(t.fails(function() BPF.Perf.perf_event_attr({ freqq = 1 }) end), "no member `freqq`")
    t.contains(t.fails(function() b:detach_perf_event(1, 0) end), "perf_event `software:cpu-clock`: it is not attached")
    t.equal(#b:probes(), 0)
end)
