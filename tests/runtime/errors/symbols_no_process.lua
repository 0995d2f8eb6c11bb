-- SPDX-License-Identifier: Apache-2.0
-- NAME a process that does not exist

print(BPF.sym(0x401000, 2147483647, true, true))
BPF.SymbolCache(2147483647)
