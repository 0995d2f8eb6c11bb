-- SPDX-License-Identifier: Apache-2.0
-- NAME losses are told to the user unless a function takes them
-- REQUIRES root, btf
-- OPTIONS -D THREAD=thread whose calls count

local b = BPF{text = [[
BPF_PERF_OUTPUT(events);

int on_call(struct pt_regs *ctx)
{
    u64 filling[32] = {};

    if ((u32)bpf_get_current_pid_tgid() == THREAD)
        events.perf_submit(ctx, &filling, sizeof(filling));
    return 0;
}
]]}
b:attach_kprobe{event = b:get_syscall_fnname("getpgid"), fn_name = "on_call"}
b.events:open_perf_buffer(function() end, {page_cnt = 1})
print("ready")
while not BPF.stopped() do
    b:perf_buffer_poll()
end
