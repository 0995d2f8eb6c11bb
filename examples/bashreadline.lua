#!/usr/bin/env bpflua
-- SPDX-License-Identifier: Apache-2.0
-- Prints what is typed into every bash on this machine.
-- usage: bashreadline.lua [SECONDS]

local b = BPF{text = [[
#include <uapi/linux/ptrace.h>

struct line_t {
    u32 pid;
    char text[80];
};
BPF_PERF_OUTPUT(lines);

int on_return(struct pt_regs *ctx)
{
    struct line_t line = {};

    if (!PT_REGS_RC(ctx))
        return 0;
    line.pid = bpf_get_current_pid_tgid() >> 32;
    bpf_probe_read_user_str(&line.text, sizeof(line.text), (void *)PT_REGS_RC(ctx));
    lines.perf_submit(ctx, &line, sizeof(line));
    return 0;
}
]]}
b:attach_uretprobe{name = "/bin/bash", sym = "readline", fn_name = "on_return"}

print(("%-9s %-7s %s"):format("TIME", "PID", "COMMAND"))
b.lines:open_perf_buffer(function(cpu, line)
    print(("%-9s %-7d %s"):format(os.date("%H:%M:%S"), line.pid, line.text))
end)

BPF.interval(tonumber(arg[1] or 5), BPF.exit)
while not BPF.stopped() do
    b:perf_buffer_poll()
end
