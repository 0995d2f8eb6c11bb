/* SPDX-License-Identifier: Apache-2.0 */
/* What the dialect computes, run by the kernel on a packet of zeros but for its first bytes 01 02 03 04 05 06 07 08 f5.
 * run: values
 * got: 0 0 1 2 63 64 1 1 2 10 64 1 2 3 4 1 8 6 41 9 5 300 7 2 8 72623859790382856 16909060 15 5 258 57005 21 */
struct pair { u32 a, b; };
BPF_ARRAY(got_dialect, u64, 32);
BPF_HASH(hash, u32);
BPF_HASH(pairs, struct pair, u32);
BPF_HASH(bytes, u32, u8);
BPF_HASH(signed_sum, u32, s64);
BPF_ARRAY(slots, u64, 4);
BPF_PERCPU_ARRAY(cpu_slots, u64, 4);
BPF_QUEUE(queue, u64, 4);
BPF_STACK(stack, u64, 4);
BPF_TABLE("lru_hash", struct pair, u64, recent, 64);

static void note(u64 value, int *at)
{
	got_dialect.update(at, &value);
	*at += 1;
}

static u64 in(u64 *p) { return p ? *p : ~0ULL; }

SEC("tc")
int values(struct __sk_buff *skb)
{
	u32 k = 5, none = 77;
	u64 v = 0;
	u32 *p32;
	u8 *p8;
	struct pair one = { 1, 2 };
	int at = 0, slot = 1, n = 4;
	u8 *cursor = 0, *before;

	note(bpf_log2(0), &at);
	note(bpf_log2(1), &at);
	note(bpf_log2(3), &at);
	note(bpf_log2(4), &at);
	note(bpf_log2l(1ULL << 62), &at);
	note(bpf_log2l(~0ULL), &at);
	note(bpf_log2l(0), &at);
	note(bpf_log2l(1), &at);
	note(bpf_log2l(2), &at);
	note(bpf_log2l(1000), &at);
	note(bpf_log2l(1ULL << 63), &at);

	hash.increment(k);
	note(in(hash.lookup(&k)), &at);
	hash.increment(k);
	note(in(hash.lookup(&k)), &at);
	hash.atomic_increment(n++ + 1);
	note(in(hash.lookup(&k)), &at);
	note(n - 1, &at);
	pairs.increment((struct pair){ 1, 2 });
	p32 = pairs.lookup(&one);
	note(p32 ? *p32 : 0, &at);
	pairs.increment((struct pair){ .a = 1, .b = 2 }, 7);
	p32 = pairs.lookup(&one);
	note(p32 ? *p32 : 0, &at);
	bytes.increment(k, 3);
	bytes.increment(k, 259);
	p8 = bytes.lookup(&k);
	note(p8 ? *p8 : 0, &at);
	signed_sum.increment(k, -1);
	signed_sum.increment(k, 42);
	note(in((u64 *)signed_sum.lookup(&k)), &at);
	slots.increment(slot, 4);
	slots.atomic_increment((slot) + 0, 5);
	note(in(slots.lookup(&slot)), &at);
	cpu_slots.increment(slot, 2);
	cpu_slots.atomic_increment(slot, 3);
	note(in(cpu_slots.lookup(&slot)), &at);
	recent.increment((struct pair){ 9, 9 }, 300);
	one = (struct pair){ 9, 9 };
	note(in(recent.lookup(&one)), &at);
	v = 7;
	note(in(hash.lookup_or_try_init(&none, &v)), &at);

	v = 1;
	queue.push(&v, 0);
	stack.push(&v, 0);
	v = 2;
	queue.push(&v, 0);
	stack.push(&v, 0);
	stack.pop(&v);
	note(v, &at);
	before = cursor_advance(cursor, 8);
	note(cursor - before, &at);

	note(load_dword(skb, 0), &at);
	note(bpf_dext_pkt(skb, 0, 0, 32), &at);
	note(bpf_dext_pkt(skb, 8, 0, 4), &at);
	note(bpf_dext_pkt(skb, 8, 4, 4), &at);
	note(bpf_dext_pkt(skb, 0, 0, 16), &at);
	bpf_dins_pkt(skb, 20, 0, 16, 0xdead);
	note(load_half(skb, 20), &at);
	bpf_dins_pkt(skb, 24, 3, 13, 21);
	note(load_half(skb, 24), &at);
	return 0;
}
