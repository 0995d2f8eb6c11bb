/* SPDX-License-Identifier: Apache-2.0 */
#include <uapi/linux/ptrace.h>
#include <stdbool.h>
#include "../kernel/sched/sched.h"
#include "mytool.h"
int hello(struct pt_regs *ctx)
{
	return 0;
}
