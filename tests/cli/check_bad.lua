-- SPDX-License-Identifier: Apache-2.0
-- The second text is wrong; the first and the third are not.
local FILTER = "if (pid != 1) return 0;"
BPF{text = "BPF_HASH(first);"}
local b = BPF{text = ([[
int on_sync(struct pt_regs *ctx)
{
    u32 pid = bpf_get_current_pid_tgid();
    FILTER
    return pidd;
}
]]):gsub("FILTER", FILTER)}
BPF{text = "BPF_HASH(third);"}
error("a script's own failure, after its texts")
