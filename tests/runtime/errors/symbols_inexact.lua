-- SPDX-License-Identifier: Apache-2.0
-- NAME an address that a Lua number cannot hold

print(BPF.ksym(0xffffffff81000123))
