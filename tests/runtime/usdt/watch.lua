-- SPDX-License-Identifier: Apache-2.0
-- Watches the server of the fixtures: `watch.lua PID|- PATH|-`. Prints a line for each probe that fires.

local pid, path = tonumber(arg[1]), arg[2] ~= "-" and arg[2] or nil

local u = USDT{pid = pid, path = path}
for _, probe in ipairs(u:enumerate_probes()) do
    if probe.provider == "library" or probe.provider == "server" then
        print(tostring(probe):gsub("0x%x+", "ADDRESS"), probe.num_locations, probe.arguments[1].ctype, #probe.locations[1].arguments)
    end
end
u:enable_probe{probe = "library:tick", fn_name = "on_tick", cookie = 1000}
u:enable_probe_or_bail{probe = "called", fn_name = "on_called"}
if not path then
    u:enable_probe{probe = "server:tick", fn_name = "on_tick", cookie = 2000}
end

local b = BPF{usdt_contexts = {u}, text = [[
struct event { u32 pid; int value; int calls; u32 cookie; u32 count; u32 size; };
BPF_PERF_OUTPUT(events);

int on_tick(struct pt_regs *ctx)
{
    struct event e = {.pid = bpf_get_current_pid_tgid() >> 32, .cookie = bpf_usdt_cookie(ctx)};
    bpf_usdt_readarg(1, ctx, &e.value);
    e.count = bpf_usdt_arg_cnt(ctx);
    e.size = bpf_usdt_arg_size(ctx, 0);
    events.perf_submit(ctx, &e, sizeof(e));
    return 0;
}

int on_called(struct pt_regs *ctx)
{
    struct event e = {.pid = bpf_get_current_pid_tgid() >> 32, .count = bpf_usdt_arg_cnt(ctx)};
    long value = 0, nothing = 1;
    bpf_usdt_arg(ctx, 0, &value);
    e.value = value;
    e.calls = -1;
    bpf_usdt_arg(ctx, 1, &value);
    e.calls = value;
    e.cookie = bpf_usdt_arg(ctx, 2, &nothing) == -2 && nothing == 0;
    events.perf_submit(ctx, &e, sizeof(e));
    return 0;
}
]]}
b.events:open_perf_buffer(function(cpu, data)
    local e = b.events:event(data)
    print(("%d: value %d calls %d cookie %d count %d size %d"):format(e.pid, e.value, e.calls, e.cookie, e.count, e.size))
end)
print("ready")
b:perf_buffer_poll_loop()
