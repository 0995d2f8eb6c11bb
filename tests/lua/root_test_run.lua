-- SPDX-License-Identifier: Apache-2.0
-- Programs run without being attached: what goes in, what comes out.

local t = require("harness")
local ffi = require("ffi")

local b = BPF{text = [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct request { __u64 a, b; };
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} runs SEC(".maps");

SEC("xdp") int count_bytes(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&runs, &zero);
	if (count)
		__sync_fetch_and_add(count, 1);
	if (data + 15 > end)
		return XDP_DROP;
	data[0] = data[14] + 1;
	return end - data;
}

SEC("tc") int marks(struct __sk_buff *skb)
{
	skb->mark += 7;
	return skb->len;
}

SEC("syscall") int adds(struct request *request)
{
	request->b += request->a;
	return request->b;
}

SEC("raw_tp/sys_enter") int arguments(struct bpf_raw_tracepoint_args *ctx)
{
	return ctx->args[0] + ctx->args[1];
}

SEC("cgroup/sysctl") int sysctl(struct bpf_sysctl *ctx)
{
	return 1;
}
]]}

local packet = ("\0"):rep(14) .. "\41" .. ("x"):rep(45)

t.test("a packet goes in and comes out", function()
    local run = b:test_run{ fn_name = "count_bytes", data_in = packet }
    t.equal(run.retval, 60)
    t.equal(run.data_out, "\42" .. packet:sub(2))
    t.equal(run.ctx_out, "")
    t.equal(b:test_run{ fn_name = "count_bytes", data_in = packet:sub(1, 14) }.retval, 1)
end)

t.test("a program is run as often as said", function()
    local before = tonumber(b.runs[0])
    local run = b:test_run{ fn_name = "count_bytes", data_in = packet, times = 1000 }
    t.equal(tonumber(b.runs[0]) - before, 1000)
    assert(run.duration > 0)
end)

t.test("a context goes in and comes out", function()
    -- struct __sk_buff: len, pkt_type, mark …; the kernel takes what may be set.
    local skb = ffi.new("uint32_t[48]")
    skb[2] = 5
    local run = b:test_run{ fn_name = "marks", data_in = packet, ctx_in = skb }
    t.equal(run.retval, 60)
    t.equal(ffi.cast("const uint32_t *", run.ctx_out)[2], 12)
end)

t.test("a syscall program writes its context", function()
    local request = ffi.new("uint64_t[2]", 40, 2)
    local ok, run = pcall(b.test_run, b, { fn_name = "adds", ctx_in = request })
    if not ok and tostring(run):find("this kernel does not know programs of this kind", 1, true) then
        io.stderr:write("skipped: a syscall program: this kernel has none\n")
        return
    end
    assert(ok, run)
    t.equal(run.retval, 42)
    t.equal(ffi.cast("const uint64_t *", run.ctx_out)[1], 42ULL)
end)

t.test("a raw tracepoint has arguments", function()
    local args = ffi.new("uint64_t[12]", 40, 2)
    t.equal(b:test_run{ fn_name = "arguments", ctx_in = args, cpu = 0 }.retval, 42)
end)

t.test("what cannot be run is said", function()
    local err = t.fails(b.test_run, b, { fn_name = "sysctl" })
    t.contains(err, "cannot run `sysctl` for a test: this kernel runs no cgroup/sysctl program without an event (EOPNOTSUPP)")
    err = t.fails(b.test_run, b, { fn_name = "marks" })
    t.contains(err, "a program on packets needs `data_in`")
    err = t.fails(b.test_run, b, { fn_name = "arguments", ctx_in = "x", times = 5 })
    t.contains(err, "does not take these data or this context")
    err = t.fails(b.test_run, b, { fn_name = "mark", data_in = packet })
    t.contains(err, "similar: marks")
    err = t.fails(b.test_run, b, { fn_name = "marks", data_inn = packet })
    t.contains(err, "did you mean `data_in`?")
end)
