/* SPDX-License-Identifier: Apache-2.0 */
int a(struct pt_regs *ctx) { return 0; }
int b(struct pt_regs *ctx) __attribute__((alias("a")));
int c(struct pt_regs *ctx) { return b(ctx); }
