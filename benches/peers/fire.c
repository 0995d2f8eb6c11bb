// SPDX-License-Identifier: Apache-2.0
/* fire N: calls fire(0) … fire(N - 1), for probes. */
#include <stdlib.h>

__attribute__((noinline, noipa)) void fire(unsigned long number)
{
	asm volatile("" ::"r"(number));
}

int main(int count, char **words)
{
	unsigned long most = count > 1 ? strtoul(words[1], NULL, 10) : 1;
	for (unsigned long number = 0; number < most; number++)
		fire(number);
	return 0;
}
