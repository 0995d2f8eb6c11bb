/* SPDX-License-Identifier: Apache-2.0 */
#include <bcc/proto.h>
BPF_HASH(headers, u32, struct ip_t);

int f(struct __sk_buff *skb)
{
	u8 *cursor = 0;
	struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
	struct ip_t *ip = cursor_advance(cursor, sizeof(*ip));
	u32 one = 1;

	headers.update(&one, ip);
	return 0;
}
