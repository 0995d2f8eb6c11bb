-- SPDX-License-Identifier: Apache-2.0
-- NAME tracefs is not mounted, and gets mounted
-- REQUIRES root, btf
-- AS without_tracefs

local b = BPF{text = [[
TRACEPOINT_PROBE(sched, sched_switch)
{
    return args->next_pid == 0;
}
]]}
print(#b:probes(), "probe", b:probes()[1].mechanism)
