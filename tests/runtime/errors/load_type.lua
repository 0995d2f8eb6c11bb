-- SPDX-License-Identifier: Apache-2.0
-- NAME an unknown type of program
-- REQUIRES root, btf

local b = BPF({ text = "int classify(struct __sk_buff *skb) { return 0; }" })
b:load_func("classify", "BPF_PROG_TYPE_SCHED_CSL")
