-- SPDX-License-Identifier: Apache-2.0
-- NAME json
-- REQUIRES root, BTF
-- Two buffers, one with a typed event, one with bytes; what is printed must not mix with the lines of JSON.
local b = BPF{text = [[
struct seen_t { u32 pid; s64 minus; char name[8]; u16 pair[2]; };
BPF_PERF_OUTPUT(seen);
BPF_RINGBUF_OUTPUT(rest, 1);

RAW_TRACEPOINT_PROBE(sys_enter)
{
    struct seen_t one = {.pid = bpf_get_current_pid_tgid() >> 32, .minus = -5, .name = "a\"b", .pair = {1, 2}};
    u16 two = 0xbeef;
    if ((u32)bpf_get_current_pid_tgid() != THREAD || ctx->args[1] != __NR_CALL)
        return 0;
    seen.perf_submit(ctx, &one, sizeof(one));
    rest.ringbuf_output(&two, sizeof(two), 0);
    return 0;
}
]]}
local handled = 0
b.seen:open_perf_buffer(function() handled = handled + 1 end)
b.rest:open_ring_buffer(function() handled = handled + 1 end)
print("tracing")
b:run()
print("handled", handled)
