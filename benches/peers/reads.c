// SPDX-License-Identifier: Apache-2.0
/* reads N: reads a byte N times; prints the nanoseconds for one. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int count, char **words)
{
	long most = count > 1 ? atol(words[1]) : 1000000;
	int zero = open("/dev/zero", O_RDONLY);
	struct timespec from, to;
	char byte;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	for (long i = 0; i < most; i++)
		if (read(zero, &byte, 1) != 1)
			return 1;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
	printf("%.3f\n", ((to.tv_sec - from.tv_sec) * 1e9 + to.tv_nsec - from.tv_nsec) / most);
	return 0;
}
