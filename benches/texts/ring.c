// SPDX-License-Identifier: Apache-2.0
/* An event of 40 bytes for each call of fire(), through a ring buffer. */
#include <uapi/linux/ptrace.h>

struct event {
	u32 pid, tid;
	u64 ts, val;
	char comm[16];
};

BPF_RINGBUF_OUTPUT(events, 512);

int fired(struct pt_regs *ctx)
{
	struct event e = {};
	e.val = PT_REGS_PARM1(ctx);
	e.pid = e.val & 63;
	e.tid = bpf_get_current_pid_tgid();
	e.ts = bpf_ktime_get_ns();
	bpf_get_current_comm(&e.comm, sizeof(e.comm));
	events.ringbuf_output(&e, sizeof(e), 0);
	return 0;
}
