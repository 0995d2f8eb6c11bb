/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of USDT probes. The numbers are those that the host looks for in the instructions.
 * asm: = 0x75d70100
 * asm: = 0x75d70203
 * asm: = 0x75d7020c
 * asm: call 0xae
 * sections: .maps usdt kprobe */
#include <bpf/usdt.bpf.h>

SEC("kprobe") int by_number(struct pt_regs *ctx)
{
	char text[16] = {};
	u8 narrow;
	void *pointer;

	bpf_usdt_readarg(3, ctx, &narrow);
	bpf_usdt_readarg(4, ctx, &pointer);
	bpf_usdt_readarg_p(5, ctx, text, sizeof(text));
	return narrow + text[0] + (long)pointer;
}

SEC("usdt") int BPF_USDT(all, int a, u64 b, void *c, s8 d, int e, int f, int g, int h, int i, int j, int k, long l)
{
	long value;

	bpf_usdt_arg(ctx, bpf_usdt_arg_cnt(ctx) - 1, &value);
	return a + b + (long)c + d + e + f + g + h + i + j + k + l + value + bpf_usdt_cookie(ctx) + bpf_usdt_arg_size(ctx, 2);
}
