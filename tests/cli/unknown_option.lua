-- SPDX-License-Identifier: Apache-2.0
local b = BPF{
    txt = "int x;",
}
