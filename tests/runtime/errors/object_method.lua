-- SPDX-License-Identifier: Apache-2.0
-- NAME a method that BPF objects do not have
-- REQUIRES root, btf

local b = BPF{text = "BPF_HASH(counts);"}
b:perf_bufer_poll()
