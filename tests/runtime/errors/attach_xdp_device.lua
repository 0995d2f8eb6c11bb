-- SPDX-License-Identifier: Apache-2.0
-- NAME XDP on a device that does not exist
-- REQUIRES root, btf

local b = BPF({ text = "int drop(struct xdp_md *ctx) { return XDP_DROP; }" })
BPF.attach_xdp("l0", b:load_func("drop", BPF.XDP))
