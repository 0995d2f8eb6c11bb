/* SPDX-License-Identifier: Apache-2.0 */
/* clang crashes here because it is asked to. */
#pragma clang __debug crash
int a(struct pt_regs *ctx) { return 0; }
