/* SPDX-License-Identifier: Apache-2.0 */
#include <bcc/proto.h>

int f(struct pt_regs *ctx)
{
	struct ip_t *ip = 0;

	return ip->ttl;
}
