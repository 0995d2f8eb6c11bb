/* SPDX-License-Identifier: Apache-2.0 */
/* flags: -DBPF_LICENSE=GPL
 * error: BPF_LICENSE belongs in the probe text */


int misuse(struct pt_regs *ctx)
{
	0;
	return 0;
}
