-- SPDX-License-Identifier: Apache-2.0
-- NAME an error in an event handler
-- REQUIRES root, btf

local b = BPF{text = [[
struct event_t {
    u32 pid;
};
BPF_PERF_OUTPUT(fails_events);

int fails_on_call(struct pt_regs *ctx)
{
    struct event_t event = {.pid = bpf_get_current_pid_tgid() >> 32};

    fails_events.perf_submit(ctx, &event, sizeof(event));
    return 0;
}
]]}
b:attach_kprobe{event = b:get_syscall_fnname("getpgid"), fn_name = "fails_on_call"}

local seen = {}
b.fails_events:open_perf_buffer(function(cpu, event)
    seen.count = seen.count + event.pid
end)

BPF.interval(0.05, function()
    -- Some work that the program sees: this process asks for its process group.
    require("ffi").C.getpgid(0)
end)
require("ffi").cdef("int getpgid(int pid);")
while true do
    b:perf_buffer_poll()
end
