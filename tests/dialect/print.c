/* SPDX-License-Identifier: Apache-2.0 */
/* bpf_trace_printk with and without a size, with few and many values; bpf_printk.
 * load
 * asm: call 0x6$
 * asm: call 0xb1$ */
SEC("tracepoint/syscalls/sys_enter_sync")
int prints(void *ctx)
{
	char comm[TASK_COMM_LEN];
	char fmt[] = "%d and %d\n";
	char plain[] = "nothing to say\n";
	u64 now = bpf_ktime_get_ns();
	int n;

	bpf_get_current_comm(comm, sizeof(comm));
	bpf_trace_printk("hello\n");
	bpf_trace_printk("%s " "%llx\n", comm, now);
	bpf_trace_printk("%d %d %p\n", 1, -2, ctx);
	bpf_trace_printk("%d %d %d %d\n", 1, 2, 3, 4);
	bpf_trace_printk(plain, sizeof(plain));
	bpf_trace_printk(plain);
	bpf_trace_printk(fmt, sizeof(fmt), 1, 2);
	n = bpf_trace_printk(fmt, sizeof(fmt), 1, 2) < 0;
	bpf_trace_printk("%d %d %d %d %d %d %d %d %d %d %d %d\n", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
	bpf_printk("no newline");
	bpf_printk("%d %s %s %lu %u %x %x", 1, comm, "text", now, n, 2, 3);
	return 0;
}

SEC("iter/task")
int into_file(struct bpf_iter__task *ctx)
{
	char text[32];

	BPF_SNPRINTF(text, sizeof(text), "%d %s", 1, "x");
	BPF_SEQ_PRINTF(ctx->meta->seq, "none\n");
	BPF_SEQ_PRINTF(ctx->meta->seq, "%s %p %d\n", text, ctx, 3);
	return 0;
}
