/* SPDX-License-Identifier: Apache-2.0 */
int f(struct pt_regs *ctx, char *format)
{
	bpf_trace_printk(format);
	bpf_printk(format, 1);
	bpf_trace_printk("%d %d %d %d %d %d %d %d %d %d %d %d %d\n", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13);
	return 0;
}
