// SPDX-License-Identifier: Apache-2.0
// Functions that are verified by themselves: global ones with promises about their arguments, static ones, a weak one.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct point {
	int x, y;
};

static const int primes[] = { 2, 3, 5, 7, 11, 13 };
static const char *const words[] = { "zero", "one", "two" };
int sum_of_primes, distance, length, from_weak, word_length;
__u32 seen_length;

static __always_inline int absolute(int number)
{
	return number < 0 ? -number : number;
}

__noinline int norm(struct point *point)
{
	return point ? absolute(point->x) + absolute(point->y) : -1;
}

__noinline int packet_length(struct __sk_buff *skb __arg_ctx)
{
	return skb->len;
}

__noinline int or_nothing(int *number)
{
	return number ? *number : -1;
}

static __noinline int prime(unsigned int index)
{
	return index < sizeof(primes) / sizeof(primes[0]) ? primes[index] : 0;
}

__weak int replaceable(int number)
{
	return number * 2;
}

static __always_inline int length_of(const char *word)
{
	int count = 0;

	while (count < 8 && word[count])
		count++;
	return count;
}

SEC("tc")
int calls(struct __sk_buff *skb)
{
	struct point point = { -3, 4 };
	int i, number = 5;

	distance = norm(&point);
	length = packet_length(skb);
	sum_of_primes = 0;
	for (i = 0; i < 7; i++)
		sum_of_primes += prime(i);
	from_weak = replaceable(21);
	word_length = length_of(words[0]) * 100 + length_of(words[2]);
	return or_nothing(&number) * 10 + or_nothing(0);
}

char LICENSE[] SEC("license") = "GPL";
