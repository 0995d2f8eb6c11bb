-- SPDX-License-Identifier: Apache-2.0
-- NAME a map that the C text does not have
-- REQUIRES root, btf

local b = BPF{text = "BPF_HASH(counts); BPF_PERF_OUTPUT(events);"}
b.event:open_perf_buffer(print)
