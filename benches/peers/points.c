// SPDX-License-Identifier: Apache-2.0
/* A thousand functions, point_000 to point_999, for probes on all of them. */
#define POINT(n)                                                                \
	__attribute__((noinline, noipa, used)) static void point_##n(void)      \
	{                                                                       \
		asm volatile("" ::: "memory");                                  \
	}
#define TEN(n) POINT(n##0) POINT(n##1) POINT(n##2) POINT(n##3) POINT(n##4) POINT(n##5) POINT(n##6) POINT(n##7) POINT(n##8) POINT(n##9)
#define HUNDRED(n) TEN(n##0) TEN(n##1) TEN(n##2) TEN(n##3) TEN(n##4) TEN(n##5) TEN(n##6) TEN(n##7) TEN(n##8) TEN(n##9)
HUNDRED(0) HUNDRED(1) HUNDRED(2) HUNDRED(3) HUNDRED(4) HUNDRED(5) HUNDRED(6) HUNDRED(7) HUNDRED(8) HUNDRED(9)

int main(void)
{
	return 0;
}
