// SPDX-License-Identifier: Apache-2.0
/* storm SECONDS: getppid() as fast as it goes; prints how many calls there were and how many nanoseconds they took. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

int main(int count, char **words)
{
	double start = now(), end = start + 1e9 * (count > 1 ? atof(words[1]) : 1);
	unsigned long calls = 0;
	while (now() < end)
		for (int i = 0; i < 1000; i++, calls++)
			syscall(SYS_getppid);
	printf("%lu %.0f\n", calls, now() - start);
	return 0;
}
