/* SPDX-License-Identifier: Apache-2.0 */
int raw_tracepoint__sys_enter(struct bpf_raw_tracepoint_args *ctx, long a, long b, long c, long d, long e, long f, long g, long h,
			      long i, long j, long k, long l, long m)
{
	return m;
}

int g(struct bpf_perf_event_data *ctx, int n)
{
	return n;
}
