/* SPDX-License-Identifier: Apache-2.0 */
/* error: BPF_TABLE knows no type "hush" */
BPF_TABLE("hush", u32, u64, counts, 8);

int misuse(struct pt_regs *ctx)
{
	0;
	return 0;
}
