/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* struct pt_regs and its accessors for the traced machine. The layout is fixed by the architecture's ABI, so the
 * structure carries no CO-RE relocation. */
#ifndef BPFLUA_PTRACE_H
#define BPFLUA_PTRACE_H
#pragma clang system_header

#if defined(__TARGET_ARCH_arm64)
#include "bpflua/ptrace_arm64.h"
#else
#include "bpflua/ptrace_x86.h"
#endif

/* Every accessor takes any pointer; the value is the register's, as unsigned long. */
#define PT_REGS_PARM1(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_PARM1)
#define PT_REGS_PARM2(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_PARM2)
#define PT_REGS_PARM3(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_PARM3)
#define PT_REGS_PARM4(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_PARM4)
#define PT_REGS_PARM5(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_PARM5)
#define PT_REGS_PARM6(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_PARM6)
#ifndef PT_REGS_PARM7
/* Further arguments are on the stack. */
#define __BPFLUA_NO_REGISTER(name) ({ _Static_assert(0, name ": this machine passes no such argument in a register"); 0UL; })
#define PT_REGS_PARM7(x) __BPFLUA_NO_REGISTER("PT_REGS_PARM7")
#define PT_REGS_PARM8(x) __BPFLUA_NO_REGISTER("PT_REGS_PARM8")
#endif
#define PT_REGS_PARM7_CORE(x) PT_REGS_PARM7(x)
#define PT_REGS_PARM8_CORE(x) PT_REGS_PARM8(x)
#define PT_REGS_PARM7_SYSCALL(x) PT_REGS_PARM7(x)
#define PT_REGS_PARM7_CORE_SYSCALL(x) PT_REGS_PARM7(x)
#define PT_REGS_RET(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_RET)
#define PT_REGS_FP(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_FP)
#define PT_REGS_RC(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_RC)
#define PT_REGS_SP(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_SP)
#define PT_REGS_IP(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_IP)

/* A system call's entry function gets one argument, the user's registers, on every kernel since 4.17 (x86-64) and
 * 4.19 (arm64): these read the system call's own arguments from those. */
#define PT_REGS_SYSCALL_CTX(ctx) ((struct pt_regs *)PT_REGS_PARM1(ctx))
#define PT_REGS_SYSCALL_REGS(ctx) ((struct pt_regs *)PT_REGS_PARM1(ctx))
#define PT_REGS_PARM1_SYSCALL(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_SYS1)
#define PT_REGS_PARM2_SYSCALL(x) PT_REGS_PARM2(x)
#define PT_REGS_PARM3_SYSCALL(x) PT_REGS_PARM3(x)
#define PT_REGS_PARM4_SYSCALL(x) (__BPFLUA_REGS(x)->__BPFLUA_REG_SYS4)
#define PT_REGS_PARM5_SYSCALL(x) PT_REGS_PARM5(x)
#define PT_REGS_PARM6_SYSCALL(x) PT_REGS_PARM6(x)

/* The _CORE forms read registers that lie in kernel memory instead of in the program's context. */
#define __BPFLUA_REG_READ(lvalue)                                             \
	({                                                                    \
		unsigned long __bpflua_reg = 0;                               \
		bpf_probe_read_kernel(&__bpflua_reg, sizeof(__bpflua_reg), &(lvalue)); \
		__bpflua_reg;                                                 \
	})
#define PT_REGS_PARM1_CORE(x) __BPFLUA_REG_READ(PT_REGS_PARM1(x))
#define PT_REGS_PARM2_CORE(x) __BPFLUA_REG_READ(PT_REGS_PARM2(x))
#define PT_REGS_PARM3_CORE(x) __BPFLUA_REG_READ(PT_REGS_PARM3(x))
#define PT_REGS_PARM4_CORE(x) __BPFLUA_REG_READ(PT_REGS_PARM4(x))
#define PT_REGS_PARM5_CORE(x) __BPFLUA_REG_READ(PT_REGS_PARM5(x))
#define PT_REGS_PARM6_CORE(x) __BPFLUA_REG_READ(PT_REGS_PARM6(x))
#define PT_REGS_RET_CORE(x) __BPFLUA_REG_READ(PT_REGS_RET(x))
#define PT_REGS_FP_CORE(x) __BPFLUA_REG_READ(PT_REGS_FP(x))
#define PT_REGS_RC_CORE(x) __BPFLUA_REG_READ(PT_REGS_RC(x))
#define PT_REGS_SP_CORE(x) __BPFLUA_REG_READ(PT_REGS_SP(x))
#define PT_REGS_IP_CORE(x) __BPFLUA_REG_READ(PT_REGS_IP(x))
#define PT_REGS_PARM1_CORE_SYSCALL(x) __BPFLUA_REG_READ(PT_REGS_PARM1_SYSCALL(x))
#define PT_REGS_PARM2_CORE_SYSCALL(x) __BPFLUA_REG_READ(PT_REGS_PARM2_SYSCALL(x))
#define PT_REGS_PARM3_CORE_SYSCALL(x) __BPFLUA_REG_READ(PT_REGS_PARM3_SYSCALL(x))
#define PT_REGS_PARM4_CORE_SYSCALL(x) __BPFLUA_REG_READ(PT_REGS_PARM4_SYSCALL(x))
#define PT_REGS_PARM5_CORE_SYSCALL(x) __BPFLUA_REG_READ(PT_REGS_PARM5_SYSCALL(x))
#define PT_REGS_PARM6_CORE_SYSCALL(x) __BPFLUA_REG_READ(PT_REGS_PARM6_SYSCALL(x))

/* The address a function was called at: what bcc's and libbpf's programs use as "func". */
#define BPF_KPROBE_READ_RET_IP(ip, ctx) ((void)((ip) = __BPFLUA_KPROBE_RET_IP(ctx)))
#define BPF_KRETPROBE_READ_RET_IP(ip, ctx) ((void)((ip) = __BPFLUA_KRETPROBE_RET_IP(ctx)))

#endif
