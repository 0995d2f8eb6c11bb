-- SPDX-License-Identifier: Apache-2.0
-- NAME kernel addresses that the kernel hides from a user
-- REQUIRES root
-- AS nobody

print(BPF.ksym(0xffffffff81000000ULL, true, true))
print(BPF.sym(0xffffffff81000000ULL, -1), BPF.SymbolCache():resolve("0xffffffff81000000"))
print(BPF.ksymname("no_such_function"))
print(BPF.ksymname("vfs_read"))
