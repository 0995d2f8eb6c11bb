// SPDX-License-Identifier: Apache-2.0
// The open files of one process.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile pid_t targ_tgid = 0;

SEC("iter/task_file")
int dump_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	if (!task || !file || task->tgid != targ_tgid || task->pid != targ_tgid)
		return 0;
	BPF_SEQ_PRINTF(ctx->meta->seq, "%u %lu\n", ctx->fd, file->f_inode->i_ino);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
