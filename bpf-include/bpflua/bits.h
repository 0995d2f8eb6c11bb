/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* Bit fields of objects that are made to travel: the compiler calls these functions in place of clang's loads and stores,
 * with what the loader says of the field. They become part of their callers, and where nothing calls them they are gone. */
#ifndef BPFLUA_BITS_H
#define BPFLUA_BITS_H
#pragma clang system_header

#define __BPFLUA_BITS_FUNCTION __attribute__((nodebug, always_inline))
/* Only one of the four sizes is alive in a kernel, and the verifier sees which. The address must not be part of each access:
 * the loader would judge the size of those that are dead. */
#define __BPFLUA_BITS_BY_SIZE(DO)                                        \
	__asm__("" : "+r"(unit));                                        \
	switch (bytes) {                                                 \
	case 1: DO(unsigned char); break;                                \
	case 2: DO(unsigned short); break;                               \
	case 4: DO(unsigned int); break;                                 \
	case 8: DO(unsigned long long); break;                           \
	}
#define __BPFLUA_BITS_UNIT(T) (*(T __attribute__((may_alias)) *)unit)

/* The field of the unit of so many bytes that is `left` bits from its top, moved there and then `right` bits down. */
__BPFLUA_BITS_FUNCTION unsigned long long __bpflua_read_bits(void *unit, unsigned int bytes, unsigned int left,
							     unsigned int right, unsigned int is_signed)
{
	unsigned long long value = 0;

#define __BPFLUA_BITS_READ(T) value = __BPFLUA_BITS_UNIT(T)
	__BPFLUA_BITS_BY_SIZE(__BPFLUA_BITS_READ)
	value <<= left & 63;
	return is_signed ? (unsigned long long)((long long)value >> (right & 63)) : value >> (right & 63);
}

/* Writes a number of `width` bits to it. */
__BPFLUA_BITS_FUNCTION void __bpflua_write_bits(void *unit, unsigned int bytes, unsigned int left, unsigned int right,
						unsigned int is_signed, unsigned int width, unsigned long long value)
{
	unsigned long long mask = ~0ULL << (right & 63) >> (left & 63);

	if (is_signed)
		value = (unsigned long long)((long long)(value << (64 - width)) >> (64 - width));
	value = value << ((right - left) & 63) & mask;
#define __BPFLUA_BITS_WRITE(T) __BPFLUA_BITS_UNIT(T) = (__BPFLUA_BITS_UNIT(T) & ~mask) | value
	__BPFLUA_BITS_BY_SIZE(__BPFLUA_BITS_WRITE)
}

#undef __BPFLUA_BITS_FUNCTION
#undef __BPFLUA_BITS_BY_SIZE
#undef __BPFLUA_BITS_UNIT
#undef __BPFLUA_BITS_READ
#undef __BPFLUA_BITS_WRITE
#endif
