/* SPDX-License-Identifier: Apache-2.0 */
struct odd { u64 a : 48, b : 48; } __attribute__((packed, preserve_access_index));

int f(struct pt_regs *ctx, struct odd *odd)
{
	return odd->b;
}
