-- SPDX-License-Identifier: Apache-2.0
-- NAME something of everything that a tracer leaves in the kernel while it runs; the test kills it
-- REQUIRES root, btf
-- The names in the kernel begin with "left" so that no other tracer's are mistaken for ours.

local b = BPF{text = [[
BPF_HASH(left_counts, u32, u64);
BPF_ARRAY(left_array, u64, 4);
BPF_PERF_OUTPUT(left_events);
BPF_RINGBUF_OUTPUT(left_ring, 8);

int left_kprobe(struct pt_regs *ctx)
{
    u32 key = bpf_get_current_pid_tgid();

    left_counts.increment(key);
    left_array.increment(0);
    left_events.perf_submit(ctx, &key, sizeof(key));
    left_ring.ringbuf_output(&key, sizeof(key), 0);
    return 0;
}

int left_uprobe(struct pt_regs *ctx)
{
    left_array.increment(1);
    return 0;
}

TRACEPOINT_PROBE(syscalls, sys_enter_getpgid)
{
    left_array.increment(2);
    return 0;
}

RAW_TRACEPOINT_PROBE(sys_enter)
{
    left_array.increment(3);
    return 0;
}
]]}
b:attach_kprobe{event = b:get_syscall_fnname("getpgid"), fn_name = "left_kprobe"}
b:attach_kretprobe{event = b:get_syscall_fnname("getpgid"), fn_name = "left_kprobe"}
b:attach_uprobe{name = "c", sym = "getpgid", fn_name = "left_uprobe"}
b:attach_uretprobe{name = "c", sym = "getpgid", fn_name = "left_uprobe"}
b.left_events:open_perf_buffer(function() end)
b.left_ring:open_ring_buffer(function() end)

print("ready", #b:probes())
while true do
    b:perf_buffer_poll()
end
