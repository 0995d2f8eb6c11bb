// SPDX-License-Identifier: Apache-2.0
// All tasks, one line each, as a file of the program's own.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("iter/task")
int dump_tasks(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;

	if (!task) {
		BPF_SEQ_PRINTF(seq, "end\n");
		return 0;
	}
	if (ctx->meta->seq_num == 0)
		BPF_SEQ_PRINTF(seq, "pid ppid comm\n");
	BPF_SEQ_PRINTF(seq, "%d %d %s\n", task->pid, task->real_parent->tgid, task->comm);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
