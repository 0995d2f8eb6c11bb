-- SPDX-License-Identifier: Apache-2.0
-- NAME a process of another user
-- REQUIRES root
-- AS nobody

print(BPF.sym(0x401000, 1), BPF.sym(0x402000, 1))
BPF.SymbolCache(1)
