/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Bytes and bits of a packet, for programs that get a socket buffer. */
#ifndef BPFLUA_PACKET_H
#define BPFLUA_PACKET_H
#pragma clang system_header

/* Packet bytes of a socket buffer in network order: LLVM's names for the kernel's LD_ABS and LD_IND instructions. */
unsigned long long load_byte(void *skb, unsigned long long off) __asm__("llvm.bpf.load.byte");
unsigned long long load_half(void *skb, unsigned long long off) __asm__("llvm.bpf.load.half");
unsigned long long load_word(void *skb, unsigned long long off) __asm__("llvm.bpf.load.word");

__BPFLUA_FN unsigned long long load_dword(void *skb, unsigned long long off)
{
	return load_word(skb, off) << 32 | load_word(skb, off + 4);
}

/* Bits of a packet in network order: the field of `bits` bits that begins `skip` bits after byte `off`. */
#define __BPFLUA_FIELD_SIZE(skip, bits) ((skip) + (bits) <= 8 ? 1 : (skip) + (bits) <= 16 ? 2 : (skip) + (bits) <= 32 ? 4 : 8)
#define __BPFLUA_FIELD_MASK(bits) ((bits) < 64 ? (1ULL << (bits)) - 1 : ~0ULL)

__BPFLUA_FN u64 __bpflua_load(void *skb, u64 off, u32 size)
{
	return size == 1 ? load_byte(skb, off) : size == 2 ? load_half(skb, off) :
	       size == 4 ? load_word(skb, off) : load_dword(skb, off);
}

__BPFLUA_FN u64 bpf_dext_pkt(void *skb, u64 off, u64 skip, u64 bits)
{
	u32 size = __BPFLUA_FIELD_SIZE(skip, bits);

	return __bpflua_load(skb, off, size) >> (8 * size - skip - bits) & __BPFLUA_FIELD_MASK(bits);
}

__BPFLUA_FN void bpf_dins_pkt(void *skb, u64 off, u64 skip, u64 bits, u64 value)
{
	u32 size = __BPFLUA_FIELD_SIZE(skip, bits);
	u32 shift = 8 * size - skip - bits;
	u64 mask = __BPFLUA_FIELD_MASK(bits) << shift;
	u64 whole = value << shift & mask;

	if (bits != 8 * size)
		whole |= __bpflua_load(skb, off, size) & ~mask;
	whole = bpf_ntohll(whole << (64 - 8 * size));
	bpf_skb_store_bytes(skb, off, &whole, size, 0);
}

/* Checksums after a field has changed. Values are in the host's order, as packet fields are read; `off` is the
 * checksum's place, which is what the address of a packet field is. The context is the program's, whatever its name. */
#ifndef __BPFLUA_CONTEXT
extern void *__bpflua_context(void) __attribute__((const));
#define __BPFLUA_CONTEXT __bpflua_context()
#endif

__BPFLUA_FN u64 __bpflua_network_order(u64 value, u32 size)
{
	return size == 2 ? bpf_ntohs(value) : size == 4 ? bpf_ntohl(value) : size == 8 ? bpf_ntohll(value) : value;
}
#define incr_cksum_l3(off, from, to)                                                                  \
	bpf_l3_csum_replace(__BPFLUA_CONTEXT, (u64)(off), __bpflua_network_order(from, sizeof(to)),                \
			    __bpflua_network_order(to, sizeof(to)), sizeof(to))
#define incr_cksum_l4(off, from, to, is_pseudo)                                                       \
	bpf_l4_csum_replace(__BPFLUA_CONTEXT, (u64)(off), __bpflua_network_order(from, sizeof(to)),                \
			    __bpflua_network_order(to, sizeof(to)), ((is_pseudo) & 1) << 4 | sizeof(to))

#endif
