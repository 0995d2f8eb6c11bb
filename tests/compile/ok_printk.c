/* SPDX-License-Identifier: Apache-2.0 */
/* Values of the size that the format says, whatever their types are called; what only the kernel's formats have. */
enum kind { FIRST };

int sizes(struct pt_regs *ctx)
{
	u64 large = bpf_ktime_get_ns();
	s64 negative = -large;
	unsigned long word = large;
	u32 small = large;
	u8 byte = large;
	char name[16] = {};
	unsigned char bytes[16] = {};
	enum kind kind = FIRST;
	char array[] = "an array: %d %s\n";
	const char constant[] = "a constant: %d %s\n";

	bpf_trace_printk("%lu %llu %lx\n", large, word, negative);
	bpf_trace_printk("%d %x %c\n", byte, small, byte);
	bpf_trace_printk("%s %s %d\n", name, bytes, kind);
	bpf_trace_printk("%-16s|%08llx|%5d\n", name, large, small);
	bpf_trace_printk("%pS %pI4 %%\n", (void *)word, &small);
	bpf_trace_printk(array, sizeof(array), small, name);
	bpf_trace_printk(constant, sizeof(constant), small, name);
	bpf_trace_printk("%d %d %d %d\n", 1, 2, 3, small);
	bpf_trace_printk("%p %lx\n", large, (void *)word);
	bpf_trace_printk("plain\n");
	bpf_printk("%u", small);
	return bpf_trace_printk("%d", 1);
}
