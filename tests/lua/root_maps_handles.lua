-- SPDX-License-Identifier: Apache-2.0
-- Maps that hold programs, maps, cgroups, perf events, devices and CPUs: set from Lua, used by a program.

local getpgid = require("help.getpgid")
local t = require("harness")

t.test("a program array takes a program and is called through", function()
    local b = BPF({ text = getpgid.on([[
BPF_PROG_ARRAY(progs, 4);
BPF_ARRAY(got, u64, 2);

SEC("raw_tp") int tail(struct bpf_raw_tracepoint_args *ctx) {
    got.increment(1);
    return 0;
}
ON_GETPGID
    progs.call(ctx, 2);
    got.increment(0);
    return 0;
}]]) })
    getpgid.call()
    t.equal(b.got[0], 1ULL)
    t.equal(b.got[1], 0ULL)
    local tail = b:load_func("tail")
    b.progs[2] = tail
    getpgid.call()
    t.equal(b.got[0], 1ULL)
    t.equal(b.got[1], 1ULL)
    b.progs[2] = nil
    getpgid.call()
    t.equal(b.got[0], 2ULL)
    b.progs[2] = tail.fd
    getpgid.call()
    t.equal(b.got[1], 2ULL)
    t.contains(t.fails(function() b.progs[4] = tail end), "map `progs`: it has 4 elements, counted from 0 (E2BIG)")
    t.contains(t.fails(function() b.progs[0] = 9999 end), "9999 is no file descriptor of a program (EBADF)")
    t.contains(t.fails(function() b.progs[0] = b.got end), "cannot put `got` into map `progs`: a map of type prog_array holds programs")
    t.contains(t.fails(function() b.progs[0] = "tail" end), "cannot put a string into map `progs`")
end)

t.test("a program array takes another object's program, and gives it back", function()
    local b = BPF({ text = 'BPF_TABLE("prog", int, int, progs, 16);' })
    local fn = BPF({ text = "int hello(struct __sk_buff *skb) { return 1; }" }):load_func("hello", BPF.SCHED_CLS)
    b.progs[0] = fn.fd
    t.equal(b.progs:delete(0), true)
    t.equal(b.progs:delete(0), false)
    t.contains(t.fails(function() b.progs[17] = fn.fd end), "map `progs`: it has 16 elements, counted from 0 (E2BIG)")
    t.contains(t.fails(b.progs.delete, b.progs, 17), "map `progs`: it has 16 elements")
end)

t.test("a map of maps takes maps, and a program looks into them", function()
    local b = BPF({ text = getpgid.on([[
struct pair { int one, two; };
BPF_ARRAY(which, int, 1);
BPF_TABLE("hash", int, int, ex1, 1024);
BPF_TABLE("hash", int, int, ex2, 1024);
BPF_TABLE("hash", int, u64, other, 1024);
BPF_HASH_OF_MAPS(by_pair, struct pair, "ex1", 10);
BPF_TABLE("hash_of_maps$ex2", int, int, by_number, 10);
BPF_ARRAY(a1, int, 16);
BPF_ARRAY_OF_MAPS(by_index, "a1", 4);

static void count(void *map) {
    int key = 0, one = 1, *value = bpf_map_lookup_elem(map, &key);
    if (value)
        (*value)++;
    else
        bpf_map_update_elem(map, &key, &one, 0);
}
ON_GETPGID
    int zero = 0, *n = which.lookup(&zero);
    if (!n)
        return 0;
    struct pair pair = { 1, *n };
    void *inner = by_pair.lookup(&pair);
    if (inner)
        count(inner);
    inner = by_number.lookup(n);
    if (inner)
        count(inner);
    inner = by_index.lookup(n);
    if (inner)
        count(inner);
    return 0;
}]]) })
    b.by_pair[{ one = 1, two = 1 }] = b.ex1
    b.by_pair[{ one = 1, two = 2 }] = b.ex2:get_fd()
    b.by_number[2] = b.ex2
    b.by_index[1] = b.a1
    getpgid.call()
    t.equal(b.ex1[0], nil)
    b.which[0] = 1
    getpgid.call()
    t.equal(b.ex1[0], 1)
    t.equal(b.a1[0], 1)
    t.equal(b.ex2[0], nil)
    b.which[0] = 2
    getpgid.call()
    t.equal(b.ex1[0], 1)
    t.equal(b.ex2[0], 2)
    t.equal(type(b.by_number[2]), "number")
    b.by_number[2] = nil
    getpgid.call()
    t.equal(b.ex2[0], 3)
    t.contains(t.fails(function() b.by_number[1] = b.other end), "`other` is no map of the type and sizes that `by_number` was made for (EINVAL)")
    t.contains(t.fails(function() b.by_number[1] = 9999 end), "9999 is no file descriptor of a map (EBADF)")
    t.contains(t.fails(function() b.by_number[1] = b:load_func("raw_tracepoint__sys_enter") end), "holds maps")
end)

t.test("a cgroup array takes a path", function()
    local root = "/sys/fs/cgroup"
    local unified = io.open(root .. "/cgroup.controllers") ~= nil
    if not unified then
        root = "/sys/fs/cgroup/unified"
    end
    if not io.open(root .. "/cgroup.procs") then
        return print("skipped: no cgroup2 here")
    end
    local b = BPF({ text = getpgid.on([[
BPF_CGROUP_ARRAY(groups, 2);
BPF_ARRAY(got, int, 2);
ON_GETPGID
    int i = 0, r = groups.check_current_task(0);
    got.update(&i, &r);
    i = 1, r = groups.check_current_task(1);
    got.update(&i, &r);
    return 0;
}]]) })
    b.groups[0] = root
    getpgid.call()
    t.equal(b.got[0], 1)
    t.equal(b.got[1] < 0, true)
    t.contains(t.fails(function() b.groups[1] = root .. "/not_there" end), "there is no folder `" .. root .. "/not_there` (ENOENT)")
    t.contains(t.fails(function() b.groups[1] = "/" end), "`/` is no cgroup that it can hold")
    t.contains(t.fails(function() return b.groups[0] end), "a map of type cgroup_array does not do that")
end)

t.test("perf events are read by a program", function()
    local b = BPF({ text = getpgid.on([[
BPF_PERF_ARRAY(clock, NUM);
BPF_ARRAY(got, u64, 2);
BPF_ARRAY(whole, struct bpf_perf_event_value, 1);
ON_GETPGID
    int zero = 0;
    u64 now = clock.perf_read(bpf_get_smp_processor_id());
    struct bpf_perf_event_value value = {};
    long failed = clock.perf_counter_value(0xffffffff, &value, sizeof(value));
    if ((s64)now >= 0)
        got.increment(0, now);
    got.increment(1, !failed);
    whole.update(&zero, &value);
    return 0;
}]]):gsub("NUM", "256") })
    getpgid.call()
    t.equal(b.got[0], 0ULL)
    t.equal(b.got[1], 0ULL)
    b.clock:open_perf_event(1, 0) -- software, cpu clock
    for _ = 1, 1000 do
        getpgid.call()
    end
    t.equal(b.got[0] > 0, true)
    t.equal(b.got[1], 1000ULL)
    t.equal(b.whole[0].counter > 0, true)
    t.equal(b.whole[0].enabled > 0, true)
    t.contains(t.fails(function() b.got:open_perf_event(1, 0) end), "it is of type array, not perf_event_array")
    t.contains(t.fails(function() b.clock:open_perf_event(1, 9999) end), "the event of type 1 with config 0x270f on CPU 0")
    t.contains(t.fails(function() b.clock:open_perf_event(1, 0, 2 ^ 22 + 1) end), "there is no process 4194305 (ESRCH)")
end)

t.test("devices and CPUs are numbers", function()
    local b = BPF({ text = [[
BPF_DEVMAP(devices, 4);
BPF_CPUMAP(cpus, 4);
BPF_XSKMAP(xsks, 4);
SEC("xdp") int on_packet(struct xdp_md *ctx) {
    return devices.redirect_map(ctx->rx_queue_index, 0);
}
SEC("xdp") int to_cpu(struct xdp_md *ctx) {
    return cpus.redirect_map(0, 0);
}
SEC("xdp") int to_socket(struct xdp_md *ctx) {
    int index = ctx->rx_queue_index;
    if (xsks.lookup(&index))
        return xsks.redirect_map(index, 0);
    return XDP_PASS;
}]] })
    b.devices[1] = 1 -- lo
    t.equal(b.devices[1], 1)
    t.equal(b.devices[0], nil)
    b.cpus[0] = 192
    t.equal(b.cpus[0], 192)
    for _, name in ipairs({ "on_packet", "to_cpu", "to_socket" }) do
        t.equal(b:load_func(name).fd > 0, true)
    end
    t.contains(t.fails(function() b.devices[2] = 999999 end), "cannot update map `devices`")
    t.contains(t.fails(function() b.xsks[0] = 0 end), "is no AF_XDP socket that it can hold")
end)

t.test("values of a closed object are refused", function()
    local one = BPF({ text = "BPF_HASH(inner, int, int, 8); BPF_ARRAY_OF_MAPS(outer, \"inner\", 4);" })
    local other = BPF({ text = "BPF_HASH(inner, int, int, 8);" })
    local inner = other.inner
    one.outer[0] = inner
    other:cleanup()
    t.contains(t.fails(function() one.outer[1] = inner end), "cannot put `inner` into map `outer`: its BPF object was closed")
end)
