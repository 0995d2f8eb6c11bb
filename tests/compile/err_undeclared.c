/* SPDX-License-Identifier: Apache-2.0 */
BPF_HASH(start, u32, u64);
int hello(struct pt_regs *ctx)
{
	u32 pid = 1;
	u64 *ts = start.lookup(&pid);
	if (tsp == 0)
		return 0;
	return bpf_ktime_get_nanoseconds() > *ts;
}
