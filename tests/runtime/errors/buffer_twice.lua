-- SPDX-License-Identifier: Apache-2.0
-- NAME a second handler for a buffer
-- REQUIRES root, btf

local b = BPF{text = "BPF_PERF_OUTPUT(events);"}
b.events:open_perf_buffer(print)
b.events:open_perf_buffer(print)
