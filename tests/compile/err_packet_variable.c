/* SPDX-License-Identifier: Apache-2.0 */
#include <bcc/proto.h>

int f(struct __sk_buff *skb)
{
	struct ip_t copy = {}, *ip = &copy;

	return ip->ttl;
}
