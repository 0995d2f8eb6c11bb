-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("rbtree")
local PACKET = ("\0"):rep(64)
b:test_run({ fn_name = "fill", data_in = PACKET })
d.attached()
local in_tree, in_list = {}, {}
for i = 1, 3 do
    b:test_run({ fn_name = "take", data_in = PACKET })
    in_tree[i], in_list[i] = tostring(b.vars.smallest), tostring(b.vars.first)
end
d.same("the tree's order", table.concat(in_tree, " "), "10ULL 20ULL 30ULL")
d.same("the list's order", table.concat(in_list, " "), "30ULL 10ULL 20ULL")
d.checked("objects came out of a tree by size, out of a list by age")
