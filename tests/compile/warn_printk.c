/* SPDX-License-Identifier: Apache-2.0 */
int types(struct pt_regs *ctx)
{
	u64 large = bpf_ktime_get_ns();
	u32 small = large;
	char name[16] = {};

	bpf_trace_printk("%d\n", large);
	bpf_trace_printk("%s\n", small);
	bpf_trace_printk("%d %d\n", small);
	bpf_trace_printk("none\n", small);
	bpf_trace_printk("%llu %s %d", small, name, name);
	bpf_printk("%d", large);
	return 0;
}

int kernel_form(struct pt_regs *ctx)
{
	const char format[] = "%s of %d\n";

	bpf_trace_printk(format, sizeof(format), 1, 2);
	return 0;
}

int refused(struct pt_regs *ctx)
{
	bpf_trace_printk("%o\n", 1);
	bpf_trace_printk("%#x\n", 1);
	bpf_trace_printk("%.3s\n", "abcd");
	bpf_trace_printk("gr\u00f6\u00dfer: %d\n", 1);
	return 0;
}

static inline void helper(int number)
{
	bpf_trace_printk("%hd\n", number);
}

int once(struct pt_regs *ctx)
{
	helper(1);
	return 0;
}

int twice(struct pt_regs *ctx)
{
	helper(2);
	return 0;
}
