/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

static __always_inline int first(int count, ...)
{
	va_list list;

	va_start(list, count);
	count = va_arg(list, int);
	va_end(list);
	return count;
}

int f(struct pt_regs *ctx, int n)
{
	return first(1, n);
}
