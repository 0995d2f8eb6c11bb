-- SPDX-License-Identifier: Apache-2.0
local b = BPF{text = [[
int x;
]]
print(b)
