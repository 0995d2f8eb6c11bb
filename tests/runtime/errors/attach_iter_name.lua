-- SPDX-License-Identifier: Apache-2.0
-- NAME an iterator over nothing that the kernel knows
-- REQUIRES root, btf

BPF({ text = [[
SEC("iter/taks") int dump(struct bpf_iter__task *ctx) { return 0; }
]] })
