/* SPDX-License-Identifier: Apache-2.0 */
/* bcc's own helpers.
 * load */
_Static_assert(KERNEL_VERSION(5, 4, 255) == 0x504ff && KERNEL_VERSION(5, 4, 300) == 0x504ff, "");
_Static_assert(bpf_ntohs(0x1234) == 0x3412 && htons(80) == 0x5000 && bpf_htonl(1) == 0x01000000, "");
_Static_assert(be64_to_cpu(1) == 1ULL << 56, "");
BPF_HISTOGRAM(dist);

SEC("socket")
int packet(struct __sk_buff *skb)
{
	u8 *cursor = 0;
	u8 *eth = cursor_advance(cursor, 14);
	u64 x = load_byte(skb, 0) + load_half(skb, 12) + load_word(skb, 14) + load_dword(skb, 26);
	unsigned __int128 wide = bpf_ntoh128((unsigned __int128)x << 64);

	dist.increment(bpf_log2l(x));
	dist.increment(bpf_log2(x));
	return (u64)(wide >> 3) + bpf_num_cpus() + (cursor - eth) + bpf_hton128(wide);
}

SEC("tracepoint/irq/irq_handler_entry")
int tracepoint__irq__irq_handler_entry(struct tracepoint__irq__irq_handler_entry *args)
{
	char name[32], same[32];

	TP_DATA_LOC_READ_CONST(name, name, sizeof(name));
	TP_DATA_LOC_READ_STR(same, name, sizeof(same));
	bpf_trace_printk("%s %s\n", name, same);
	return 0;
}
