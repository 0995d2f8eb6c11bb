-- SPDX-License-Identifier: Apache-2.0
-- Histogram text, byte for byte.

local t = require("harness")
local hist = require("bpflua.hist")

t.test("narrow", function()
    -- The zero slot counts for the scale, though it has no row.
    t.equal(hist.log2_text({ [0] = 9, [1] = 1, [3] = 4, [4] = 2 }, "usecs"), table.concat({
        "     usecs               : count     distribution",
        "         0 -> 1          : 1        |****                                    |",
        "         2 -> 3          : 0        |                                        |",
        "         4 -> 7          : 4        |*****************                       |",
        "         8 -> 15         : 2        |********                                |",
        "",
    }, "\n"))
end)

t.test("wide", function()
    local text = hist.log2_text({ [33] = 3, [64] = 1 }, "bytes")
    local lines = {}
    for line in text:gmatch("[^\n]+") do
        lines[#lines + 1] = line
    end
    t.equal(lines[1], "               bytes                         : count     distribution")
    t.equal(lines[34], "          4294967296 -> 8589934591           : 3        |********************|")
    t.equal(lines[65], " 9223372036854775808 -> 18446744073709551615 : 1        |******              |")
    t.equal(#lines, 65)
end)

t.test("empty, and nothing but the zero slot", function()
    t.equal(hist.log2_text({}, "x"), "")
    t.equal(hist.log2_text({ [0] = 5 }, "x"), "")
    t.equal(hist.linear_text({}, "x"), "")
end)

t.test("the header stands for `value` when nothing is said", function()
    t.contains(hist.log2_text({ [1] = 1 }), "     value               : count     distribution\n")
end)

t.test("leading empty rows", function()
    local text = hist.log2_text({ [3] = 1, [5] = 1 }, "x", true)
    t.equal(select(2, text:gsub("\n", "")), 4)
    t.contains(text, "         4 -> 7  ")
end)

t.test("linear", function()
    t.equal(hist.linear_text({ [0] = 1, [2] = 2 }, "CPUs"), table.concat({
        "     CPUs          : count     distribution",
        "        0          : 1        |********************                    |",
        "        1          : 0        |                                        |",
        "        2          : 2        |****************************************|",
        "",
    }, "\n"))
end)

-- As much of a map as a histogram asks for.
local function map_of(names, elements)
    return {
        name = "dist",
        key_type = { member_names = function() return names end },
        pairs = function()
            local i = 0
            return function()
                i = i + 1
                if elements[i] then
                    return elements[i][1], elements[i][2]
                end
            end
        end,
    }
end

t.test("sections in the order they are met", function()
    local map = map_of({ "disk", "slot" }, {
        { { disk = "sdb", slot = 1 }, 1ULL },
        { { disk = "sda", slot = 1 }, 2ULL },
        { { disk = "sdb", slot = 2 }, 2ULL },
    })
    local text = hist.map_text("log2", map, { section_header = "disk", val_type = "us" })
    t.equal(text:find("\ndisk = sdb\n     us  ", 1, true), 1)
    t.contains(text, "\n\ndisk = sda\n")
    text = hist.map_text("log2", map, {
        section_print_fn = function(bucket) return bucket:upper() end,
        bucket_sort_fn = function(buckets) table.sort(buckets) return buckets end,
    })
    t.equal(text:find("\nBucket ptr = SDA\n", 1, true), 1)
end)

t.test("several members make one section", function()
    local map = map_of({ "a", "b", "slot" }, { { { a = 1, b = "x", slot = 1 }, 1ULL } })
    t.contains(hist.map_text("linear", map, {}), "\nBucket ptr = 1, x\n")
end)

t.test("a slot that no histogram has", function()
    local err = t.fails(hist.map_text, "log2", map_of(nil, { { 65, 1ULL } }), {})
    t.contains(err, "cannot print `dist` as a histogram: slot 65 is outside of 0 to 64")
end)
