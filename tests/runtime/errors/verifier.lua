-- SPDX-License-Identifier: Apache-2.0
-- NAME a program that the verifier rejects
-- REQUIRES root, btf
-- VARIES with the kernel

local b = BPF{text = [[
BPF_HASH(counts, u32, u64);

int on_call(struct pt_regs *ctx)
{
    u32 key = bpf_get_current_pid_tgid();
    u64 *count = counts.lookup(&key);

    *count += 1;
    return 0;
}
]]}
b:attach_kprobe{event = b:get_syscall_fnname("getpgid"), fn_name = "on_call"}
