/* SPDX-License-Identifier: Apache-2.0 */
int hello(struct pt_regs *ctx)
{
	u64 now = bpf_ktime_get_ns()
	return 0;
}
