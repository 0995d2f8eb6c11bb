/* SPDX-License-Identifier: Apache-2.0 */
/* Packet bytes, bits and checksums.
 * load: -D__BPFLUA_CONTEXT=skb
 * flags: -D__BPFLUA_CONTEXT=skb */
#include <bcc/proto.h>

_Static_assert(sizeof(struct ethernet_t) == 14 && sizeof(struct dot1q_t) == 4 && sizeof(struct arp_t) == 28, "");
_Static_assert(sizeof(struct ip_t) == 20 && sizeof(struct ip6_t) == 40 && sizeof(struct tcp_t) == 20, "");
_Static_assert(sizeof(struct udp_t) == 8 && sizeof(struct icmp_t) == 4 && sizeof(struct vxlan_t) == 8, "");

SEC("tc")
int rewrite(struct __sk_buff *skb)
{
	u8 *cursor = 0;
	struct ethernet_t *eth = cursor_advance(cursor, sizeof(*eth));
	struct ip_t *ip = cursor_advance(cursor, sizeof(*ip));
	u64 type = bpf_dext_pkt(skb, (u64)eth + 12, 0, 16);
	u64 version = bpf_dext_pkt(skb, (u64)ip, 0, 4), offset = bpf_dext_pkt(skb, (u64)ip + 6, 3, 13);
	u32 src = bpf_dext_pkt(skb, (u64)ip + 12, 0, 32), to = src + 1;
	u64 mac = bpf_dext_pkt(skb, 0, 0, 48);
	u16 port = 80, port2 = 8080;

	if (type != ETH_P_IP || version != 4 || offset)
		return TC_ACT_OK;
	bpf_dins_pkt(skb, (u64)ip + 12, 0, 32, to);
	bpf_dins_pkt(skb, (u64)ip + 6, 1, 1, 1);
	bpf_dins_pkt(skb, 0, 0, 48, mac + 1);
	incr_cksum_l3(&ip->hchecksum, src, to);
	incr_cksum_l4((u64)cursor + 16, src, to, 1);
	incr_cksum_l4((u64)cursor + 16, port, port2, 0);
	return TC_ACT_OK;
}
