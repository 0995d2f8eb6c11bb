-- SPDX-License-Identifier: Apache-2.0
-- NAME a packet program on a control group, without a direction
-- REQUIRES root, btf

local b = BPF({ text = "int on_packet(struct __sk_buff *skb) { return 1; }" })
b:attach_cgroup({ fn_name = "on_packet", path = "/tmp" })
