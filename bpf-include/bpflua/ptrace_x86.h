/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* x86-64 registers as the kernel saves them. Kernel names and the older uapi names (rdi, rip …) both work. */
#pragma clang system_header

#ifndef __BPFLUA_KERNEL_HEADERS
#define __x86_64__ 1
#define __x86_64 1
#define CONFIG_X86_64 1
#define CONFIG_X86 1

struct pt_regs {
	unsigned long r15;
	unsigned long r14;
	unsigned long r13;
	unsigned long r12;
	union { unsigned long bp, rbp; };
	union { unsigned long bx, rbx; };
	unsigned long r11;
	unsigned long r10;
	unsigned long r9;
	unsigned long r8;
	union { unsigned long ax, rax; };
	union { unsigned long cx, rcx; };
	union { unsigned long dx, rdx; };
	union { unsigned long si, rsi; };
	union { unsigned long di, rdi; };
	union { unsigned long orig_ax, orig_rax; };
	union { unsigned long ip, rip; };
	unsigned long cs;
	union { unsigned long flags, eflags; };
	union { unsigned long sp, rsp; };
	unsigned long ss;
};

typedef struct pt_regs bpf_user_pt_regs_t;
#endif

#define __BPFLUA_REGS(x) ((struct pt_regs *)(x))
#define __BPFLUA_REG_PARM1 di
#define __BPFLUA_REG_PARM2 si
#define __BPFLUA_REG_PARM3 dx
#define __BPFLUA_REG_PARM4 cx
#define __BPFLUA_REG_PARM5 r8
#define __BPFLUA_REG_PARM6 r9
#define __BPFLUA_REG_SYS1 di
/* The syscall instruction overwrites rcx, so the fourth argument travels in r10. */
#define __BPFLUA_REG_SYS4 r10
#define __BPFLUA_REG_RET sp
#define __BPFLUA_REG_FP bp
#define __BPFLUA_REG_RC ax
#define __BPFLUA_REG_SP sp
#define __BPFLUA_REG_IP ip

#define __BPFLUA_KPROBE_RET_IP(ctx) __BPFLUA_REG_READ(*(unsigned long *)PT_REGS_RET(ctx))
#define __BPFLUA_KRETPROBE_RET_IP(ctx) __BPFLUA_REG_READ(*((unsigned long *)PT_REGS_FP(ctx) + 1))
