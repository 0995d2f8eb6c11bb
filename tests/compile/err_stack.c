/* SPDX-License-Identifier: Apache-2.0 */
int hello(struct pt_regs *ctx)
{
	char path[600];
	bpf_get_current_comm(path, sizeof(path));
	bpf_trace_printk("%s\n", path);
	return 0;
}
