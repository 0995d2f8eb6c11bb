-- SPDX-License-Identifier: Apache-2.0
-- NAME a full map is told of at the end
-- REQUIRES root, btf

local b = BPF{text = [[
BPF_HASH(counts, u32, u64, 4);
BPF_HISTOGRAM(dist, int, 4);
SEC("socket") int fill(struct __sk_buff *skb) {
    for (int i = 0; i < 10; i++) {
        counts.increment(i);
        dist.increment(i);
    }
    return 0;
}
]]}
b:test_run{fn_name = "fill", data_in = ("\0"):rep(64)}
print(#b.counts)
