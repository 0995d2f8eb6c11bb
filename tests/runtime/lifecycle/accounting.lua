-- SPDX-License-Identifier: Apache-2.0
-- NAME every event is delivered or counted as lost
-- REQUIRES root, btf
-- OPTIONS -D THREAD=thread whose calls count
-- usage: accounting.lua PAGES

local b = BPF{text = [[
struct event_t {
    u64 number;
    char filling[56];
};
BPF_PERF_OUTPUT(events);
BPF_ARRAY(submitted, u64, 1);

int on_call(struct pt_regs *ctx)
{
    int zero = 0;
    u64 *count;

    if ((u32)bpf_get_current_pid_tgid() != THREAD)
        return 0;
    count = submitted.lookup(&zero);
    if (!count)
        return 0;
    struct event_t event = {.number = (*count)++};
    events.perf_submit(ctx, &event, sizeof(event));
    return 0;
}
]]}
b:attach_kprobe{event = b:get_syscall_fnname("getpgid"), fn_name = "on_call"}

-- Each CPU has a buffer of its own; between two of them there is no order.
local delivered, lost, last, in_order = 0, 0, {}, true
b.events:open_perf_buffer(function(cpu, event)
    delivered = delivered + 1
    local number = tonumber(event.number)
    in_order = in_order and number > (last[cpu] or -1)
    last[cpu] = number
end, {
    page_cnt = tonumber(arg[1]),
    lost_cb = function(count) lost = lost + tonumber(count) end,
})

print("ready")
while not BPF.stopped() do
    b:perf_buffer_poll()
end
print(("delivered %d lost %d submitted %d %s"):format(delivered, lost, tonumber(b.submitted[0]),
    in_order and "in order" or "out of order"))
