/* SPDX-License-Identifier: Apache-2.0 */
#include <bcc/proto.h>

int f(struct __sk_buff *skb)
{
	u8 *cursor = 0;
	struct ip_t copy = {}, *ip = load_byte(skb, 0) > 99 ? &copy : cursor_advance(cursor, sizeof(*ip));

	return ip->ttl;
}
