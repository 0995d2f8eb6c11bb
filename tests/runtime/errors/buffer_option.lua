-- SPDX-License-Identifier: Apache-2.0
-- NAME an option that open_perf_buffer does not have
-- REQUIRES root, btf

local b = BPF{text = "BPF_PERF_OUTPUT(events);"}
b.events:open_perf_buffer(print, {pages = 8})
