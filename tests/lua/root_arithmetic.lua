-- SPDX-License-Identifier: Apache-2.0
-- Signed division, for which kernels before 6.6 have no instruction, and the distance of pointers.

local ffi = require("ffi")
local getpgid = require("help.getpgid")
local t = require("harness")

local b = BPF({ text = getpgid.on([[
struct odd { char bytes[24]; };
struct operands { s64 a, b; s32 c, d; s16 e; s8 f; };
struct results {
    s64 quotient, remainder, by_seven, by_eight, minus;
    s32 quotient32, remainder32, distance32;
    s64 distance;
    s16 quotient16;
    s8 remainder8;
};
BPF_ARRAY(operands, struct operands, 1);
BPF_ARRAY(results, struct results, 1);

ON_GETPGID
    int zero = 0;
    struct operands *o = operands.lookup(&zero);
    struct results *r = results.lookup(&zero);
    if (!o || !r)
        return 0;
    r->quotient = o->a / o->b;
    r->remainder = o->a % o->b;
    r->by_seven = o->a / 7;
    r->by_eight = o->a / 8;
    r->minus = o->a / -12;
    r->quotient32 = o->c / o->d;
    r->remainder32 = o->c % o->d;
    r->distance = (struct odd *)(o->a * 24) - (struct odd *)(o->b * 24);
    r->distance32 = (struct odd *)(o->b * 24) - (struct odd *)(o->a * 24);
    r->quotient16 = o->e / o->f;
    r->remainder8 = o->e % o->f;
    return 0;
}]]) })

-- C's division cuts toward zero, as LuaJIT's of 64-bit numbers does.
local function quotient(a, by)
    return tonumber(ffi.cast("int64_t", a) / ffi.cast("int64_t", by))
end

local function remainder(a, by)
    return tonumber(ffi.cast("int64_t", a) % ffi.cast("int64_t", by))
end

t.test("signed numbers divide as in C", function()
    for _, pair in ipairs({ { 100, 7 }, { -100, 7 }, { 100, -7 }, { -100, -7 }, { 6, 9 }, { -6, 9 }, { 0, -3 }, { -128, 1 } }) do
        local a, by = pair[1], pair[2]
        b.operands[0] = { a = a, b = by, c = a, d = by, e = a, f = by }
        getpgid.call()
        local r = b.results[0]
        local got = {}
        for _, name in ipairs({ "quotient", "remainder", "by_seven", "by_eight", "minus", "quotient32", "remainder32", "distance", "distance32", "quotient16", "remainder8" }) do
            got[#got + 1] = name .. " " .. tonumber(r[name])
        end
        local wanted = {
            "quotient " .. quotient(a, by), "remainder " .. remainder(a, by), "by_seven " .. quotient(a, 7),
            "by_eight " .. quotient(a, 8), "minus " .. quotient(a, -12), "quotient32 " .. quotient(a, by),
            "remainder32 " .. remainder(a, by), "distance " .. a - by, "distance32 " .. by - a,
            "quotient16 " .. quotient(a, by), "remainder8 " .. remainder(a, by),
        }
        t.equal(table.concat(got, ", "), table.concat(wanted, ", "))
    end
end)

t.test("dividing by zero is what BPF makes of it", function()
    b.operands[0] = { a = -5, b = 0, c = 9, d = 0, e = 1, f = 1 }
    getpgid.call()
    local r = b.results[0]
    t.equal(tonumber(r.quotient), 0)
    t.equal(tonumber(r.remainder), -5)
    t.equal(r.quotient32, 0)
    t.equal(r.remainder32, 9)
end)
