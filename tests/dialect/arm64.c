/* SPDX-License-Identifier: Apache-2.0 */
/* The other machine's registers.
 * flags: -U__TARGET_ARCH_x86 -D__TARGET_ARCH_arm64 */
_Static_assert(__builtin_offsetof(struct pt_regs, pc) == 256 && __builtin_offsetof(struct pt_regs, orig_x0) == 272, "");
_Static_assert(O_DIRECTORY == 040000, "");

int registers(struct pt_regs *ctx)
{
	struct pt_regs *regs = PT_REGS_SYSCALL_CTX(ctx);

	return PT_REGS_PARM1(ctx) + PT_REGS_PARM6(ctx) + PT_REGS_RC(ctx) + PT_REGS_IP(ctx) + PT_REGS_SP(ctx) + PT_REGS_FP(ctx) +
	       PT_REGS_RET(ctx) + ctx->regs[3] + ctx->user_regs.pc + PT_REGS_PARM1_CORE_SYSCALL(regs) +
	       PT_REGS_PARM4_CORE_SYSCALL(regs);
}
