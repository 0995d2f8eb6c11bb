/* SPDX-License-Identifier: Apache-2.0 */
int f(struct pt_regs *ctx, char *text)
{
	return strlen(text);
}
