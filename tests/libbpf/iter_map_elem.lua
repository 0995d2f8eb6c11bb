-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("iter_map_elem")
b:attach_iter({ fn_name = "dump_elements", map = "scores" })
d.attached()
for i = 1, 5 do
    b.scores[i] = i * 1000
end
local lines = {}
for line in b:iter("dump_elements"):lines() do
    lines[#lines + 1] = line
end
table.sort(lines)
d.same("the elements", table.concat(lines, " "), "1=1000 2=2000 3=3000 4=4000 5=5000")
local found = 0
for line in b:iter("dump_maps"):lines() do
    found = found + (line == "scores 16" and 1 or 0)
end
d.same("maps of that name and size", found, 1)
d.checked("the elements of a map, the map among all maps")
