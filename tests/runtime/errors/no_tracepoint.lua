-- SPDX-License-Identifier: Apache-2.0
-- NAME a tracepoint when tracefs is not mounted, and may not be
-- REQUIRES root, btf
-- AS without_tracefs_and_mount

BPF{text = [[
TRACEPOINT_PROBE(sched, sched_switch)
{
    return args->next_pid;
}
]]}
