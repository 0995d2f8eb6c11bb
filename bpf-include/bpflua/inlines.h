/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Inline functions of the kernel's headers, which BTF cannot know, as macros: what they read is read as the kernel's
 * memory. They are named like plain functions, so vmlinux.h, which has no macros, takes them back. */
#pragma clang system_header

/* include/net/sock.h and beside it: a socket is the first member of what it is part of. */
#define inet_sk(sk) ((struct inet_sock *)(sk))
#define inet_csk(sk) ((struct inet_connection_sock *)(sk))
#define inet6_sk(sk) (inet_sk(sk)->pinet6)
#define inet_rsk(req) ((struct inet_request_sock *)(req))
#define inet_reqsk(sk) ((struct request_sock *)(sk))
#define inet_twsk(sk) ((struct inet_timewait_sock *)(sk))
#define tcp_sk(sk) ((struct tcp_sock *)(sk))
#define tcp_rsk(req) ((struct tcp_request_sock *)(req))
#define tcp_twsk(sk) ((struct tcp_timewait_sock *)(sk))
#define udp_sk(sk) ((struct udp_sock *)(sk))
#define unix_sk(sk) ((struct unix_sock *)(sk))
#define raw_sk(sk) ((struct raw_sock *)(sk))
#define sock_net(sk) ((sk)->__sk_common.skc_net.net)
#define SOCK_INODE(socket) (&((struct socket_alloc *)(socket))->vfs_inode)

/* include/linux/skbuff.h and beside it. Queues are counted from 1; 0 is none. */
#define skb_rx_queue_recorded(skb) ((skb)->queue_mapping != 0)
#define skb_get_rx_queue(skb) ((u16)((skb)->queue_mapping - 1))
#define skb_get_queue_mapping(skb) ((skb)->queue_mapping)
#define skb_headlen(skb) ((skb)->len - (skb)->data_len)
#define skb_is_nonlinear(skb) ((skb)->data_len != 0)
#define skb_end_pointer(skb) ((skb)->head + (skb)->end)
#define skb_shinfo(skb) ((struct skb_shared_info *)skb_end_pointer(skb))
#define skb_mac_header(skb) ((skb)->head + (skb)->mac_header)
#define skb_network_header(skb) ((skb)->head + (skb)->network_header)
#define skb_transport_header(skb) ((skb)->head + (skb)->transport_header)
#define eth_hdr(skb) ((struct ethhdr *)skb_mac_header(skb))
#define ip_hdr(skb) ((struct iphdr *)skb_network_header(skb))
#define ipv6_hdr(skb) ((struct ipv6hdr *)skb_network_header(skb))
#define tcp_hdr(skb) ((struct tcphdr *)skb_transport_header(skb))
#define udp_hdr(skb) ((struct udphdr *)skb_transport_header(skb))
#define icmp_hdr(skb) ((struct icmphdr *)skb_transport_header(skb))
#define TCP_SKB_CB(skb) ((struct tcp_skb_cb *)&(skb)->cb[0])

/* include/linux/scatterlist.h: the two lowest bits of a page's address say what an entry is. */
#define SG_CHAIN 1UL
#define SG_END 2UL
#define SG_PAGE_LINK_MASK (SG_CHAIN | SG_END)
#define sg_is_chain(sg) ((sg)->page_link & SG_CHAIN)
#define sg_is_last(sg) ((sg)->page_link & SG_END)
#define sg_chain_ptr(sg) ((struct scatterlist *)((sg)->page_link & ~SG_PAGE_LINK_MASK))

/* include/linux/string.h: what the compiler writes out. */
#define strcmp(a, b) __builtin_strcmp(a, b)
#define strncmp(a, b, count) __builtin_strncmp(a, b, count)
#define strlen(text) __builtin_strlen(text)

/* include/linux/math64.h. The divisor has 32 bits where the name says no more. */
#define div_u64(dividend, divisor) ((u64)(dividend) / (u32)(divisor))
#define div64_u64(dividend, divisor) ((u64)(dividend) / (u64)(divisor))
#define div_s64(dividend, divisor) ((s64)(dividend) / (s32)(divisor))
#define div64_s64(dividend, divisor) ((s64)(dividend) / (s64)(divisor))
#define div64_ul(dividend, divisor) ((u64)(dividend) / (unsigned long)(divisor))

/* include/linux/fs.h and beside it. */
#define file_inode(file) ((file)->f_inode)
#define d_inode(dentry) ((dentry)->d_inode)
#define i_uid_read(inode) ((inode)->i_uid.val)
#define i_gid_read(inode) ((inode)->i_gid.val)

/* include/linux/page-flags.h, with the pages of a folio one behind the other (CONFIG_SPARSEMEM_VMEMMAP or FLATMEM). */
#define folio_page(folio, n) (&(folio)->page + (n))
