/* SPDX-License-Identifier: Apache-2.0 */
/* Every probe macro.
 * sections: tracepoint/sched/sched_switch raw_tracepoint/sched_switch fentry/do_unlinkat fexit/do_unlinkat fentry/ext4:ext4_sync_file fexit/ext4:ext4_sync_file fmod_ret/do_unlinkat lsm/bprm_check_security iter/task */
TRACEPOINT_PROBE(sched, sched_switch)
{
	return args->prev_pid == args->next_pid;
}

RAW_TRACEPOINT_PROBE(sched_switch)
{
	struct task_struct *prev = (struct task_struct *)ctx->args[1];

	return prev == 0;
}

KFUNC_PROBE(do_unlinkat, int dfd, struct filename *name)
{
	bpf_trace_printk("%d %p\n", dfd, name);
	return 0;
}

KRETFUNC_PROBE(do_unlinkat, int dfd, struct filename *name, int ret)
{
	bpf_trace_printk("%d %p\n", ret, ctx);
	return 0;
}

MODULE_KFUNC_PROBE(ext4, ext4_sync_file, struct file *file, loff_t start, loff_t end, int datasync)
{
	return file->f_mode & datasync;
}

MODULE_KRETFUNC_PROBE(ext4, ext4_sync_file, struct file *f, loff_t start, loff_t end, int datasync, int ret)
{
	return ret;
}

KMOD_RET(do_unlinkat, int dfd, struct filename *name, int ret)
{
	return ret ? ret : -EPERM;
}

LSM_PROBE(bprm_check_security, struct linux_binprm *bprm)
{
	return bprm->file ? 0 : -EACCES;
}

/* Twelve arguments, and none. */
KFUNC_PROBE(twelve, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h, u64 i, u64 j, u8 k, void *l)
{
	return a + b + c + d + e + f + g + h + i + j + k + (u64)l;
}

KFUNC_PROBE(none)
{
	return 0;
}

BPF_ITER(task)
{
	struct task_struct *task = ctx->task;

	if (task)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%d %d\n", task->pid, task->tgid);
	return 0;
}

int kprobe__vfs_read(struct pt_regs *ctx, struct file *file)
{
	return PT_REGS_PARM1(ctx) + PT_REGS_PARM2(ctx) + PT_REGS_PARM6(ctx) + ctx->di + PT_REGS_IP(ctx) + ctx->ip;
}

int kretprobe__vfs_read(struct pt_regs *ctx)
{
	return PT_REGS_RC(ctx) + PT_REGS_SP(ctx) + PT_REGS_FP(ctx) + PT_REGS_RET(ctx) + ctx->rax;
}

int syscall__openat(struct pt_regs *ctx, int dfd, const char *name)
{
	struct pt_regs *regs = PT_REGS_SYSCALL_CTX(ctx);

	return PT_REGS_PARM1_CORE_SYSCALL(regs) + PT_REGS_PARM4_CORE_SYSCALL(regs) + PT_REGS_PARM2_CORE(regs);
}

int on_cpu_clock(struct bpf_perf_event_data *ctx)
{
	return PT_REGS_IP(&ctx->regs) + ctx->addr;
}
