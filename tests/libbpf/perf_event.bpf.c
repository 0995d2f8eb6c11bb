// SPDX-License-Identifier: Apache-2.0
// Samples of a processor's time, as profilers take them.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile pid_t targ_tgid = 0;
__u64 samples, period, in_user;

SEC("perf_event")
int do_sample(struct bpf_perf_event_data *ctx)
{
	if ((bpf_get_current_pid_tgid() >> 32) != targ_tgid)
		return 0;
	period = ctx->sample_period;
	if (PT_REGS_IP(&ctx->regs) >> 63 == 0)
		in_user++;
	__sync_fetch_and_add(&samples, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
