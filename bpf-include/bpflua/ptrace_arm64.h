/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* arm64 registers as the kernel saves them; struct user_pt_regs is their part that user space may see. */
#pragma clang system_header

#ifndef __BPFLUA_KERNEL_HEADERS
#define __aarch64__ 1
#define CONFIG_ARM64 1

struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};

struct pt_regs {
	union {
		struct user_pt_regs user_regs;
		struct {
			__u64 regs[31];
			__u64 sp;
			__u64 pc;
			__u64 pstate;
		};
	};
	__u64 orig_x0;
	__s32 syscallno;
	__u32 __bpflua_rest;
};

typedef struct user_pt_regs bpf_user_pt_regs_t;
#endif

#define __BPFLUA_REGS(x) ((struct pt_regs *)(x))
#define __BPFLUA_REG_PARM1 regs[0]
#define __BPFLUA_REG_PARM2 regs[1]
#define __BPFLUA_REG_PARM3 regs[2]
#define __BPFLUA_REG_PARM4 regs[3]
#define __BPFLUA_REG_PARM5 regs[4]
#define __BPFLUA_REG_PARM6 regs[5]
#define PT_REGS_PARM7(x) (__BPFLUA_REGS(x)->regs[6])
#define PT_REGS_PARM8(x) (__BPFLUA_REGS(x)->regs[7])
/* x0 is overwritten by the return value; the kernel keeps the first argument of a system call apart. */
#define __BPFLUA_REG_SYS1 orig_x0
#define __BPFLUA_REG_SYS4 regs[3]
#define __BPFLUA_REG_RET regs[30]
#define __BPFLUA_REG_FP regs[29]
#define __BPFLUA_REG_RC regs[0]
#define __BPFLUA_REG_SP sp
#define __BPFLUA_REG_IP pc

#define __BPFLUA_KPROBE_RET_IP(ctx) PT_REGS_RET(ctx)
#define __BPFLUA_KRETPROBE_RET_IP(ctx) PT_REGS_RET(ctx)
