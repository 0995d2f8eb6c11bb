-- SPDX-License-Identifier: Apache-2.0
-- NAME a number of no perf event
-- REQUIRES root, btf

local b = BPF({ text = "int on_sample(struct bpf_perf_event_data *ctx) { return 0; }" })
b:attach_perf_event({ ev_type = BPF.PerfType.SOFTWARE, ev_config = 99, fn_name = "on_sample", sample_freq = 49 })
