/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* The kernel's types are there without it. A text that includes it expects types and no macros, and may use these words
 * for its own variables and functions. */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__
#pragma clang system_header

#undef s6_addr
#undef s6_addr16
#undef s6_addr32
#undef sk_node
#undef sk_nulls_node
#undef sk_refcnt
#undef sk_tx_queue_mapping
#undef sk_rx_queue_mapping
#undef sk_dontcopy_begin
#undef sk_dontcopy_end
#undef sk_hash
#undef sk_portpair
#undef sk_num
#undef sk_dport
#undef sk_addrpair
#undef sk_daddr
#undef sk_rcv_saddr
#undef sk_family
#undef sk_state
#undef sk_reuse
#undef sk_reuseport
#undef sk_ipv6only
#undef sk_net_refcnt
#undef sk_bound_dev_if
#undef sk_bind_node
#undef sk_prot
#undef sk_net
#undef sk_v6_daddr
#undef sk_v6_rcv_saddr
#undef sk_cookie
#undef sk_incoming_cpu
#undef sk_flags
#undef sk_rxhash
#undef inet_daddr
#undef inet_rcv_saddr
#undef inet_dport
#undef inet_num
#undef inet_addrpair
#undef inet_portpair
#undef ir_loc_addr
#undef ir_rmt_addr
#undef ir_rmt_port
#undef ir_num
#undef ir_v6_rmt_addr
#undef ir_v6_loc_addr
#undef ir_iif
#undef ir_cookie
#undef noinline
#undef min
#undef max
#undef min_t
#undef max_t
#undef clamp
#undef swap
#undef req_op
#undef bio_op
#undef op_is_write

#endif
