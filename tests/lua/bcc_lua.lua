-- SPDX-License-Identifier: Apache-2.0
-- The globals of bcc-lua's scripts.

local t = require("harness")
local utils = require("bpflua.utils")

local function list(values)
    return table.concat(values, "|")
end

t.test("format by %", function()
    t.equal("%d of %d" % { 1, 2 }, "1 of 2")
    t.equal("%5s|" % "ab", "   ab|")
    t.equal("%s" % false, "%s")
    t.equal("as it is" % nil, "as it is")
end)

t.test("addresses", function()
    t.equal(("%p"):format(0xffffffff81000000ULL), "ffffffff81000000")
    t.equal(("%p %d"):format(0x1fULL, 5), "1f 5")
end)

t.test("strings", function()
    t.equal(("abc"):starts("ab"), true)
    t.equal(("abc"):starts("b"), false)
    t.equal(("abc"):ends("bc"), true)
    t.equal(("abc"):ends(""), true)
    t.equal(("a.b*"):escape(), "a%.b%*")
    t.equal(("--so-path=x"):lstrip("--so-path="), "x")
    t.equal(list((" a  b c "):split()), "|a|b|c")
    t.equal(list(("a,b,c"):split(",")), "a|b|c")
    t.equal(list(("a.b.c"):split(".", true, 2)), "a|b.c")
    t.equal(#(""):split(), 0)
    t.equal(#(" "):split(), 0)
    t.equal(list((","):split(",", true, 1)), ",")
    t.equal(list((",,"):split(",")), "|")
    t.equal(list(("a,"):split(",")), "a")
    t.equal(list(("abc"):split("")), "abc")
end)

t.test("tables", function()
    t.equal(table.count({ 1, 2, a = 3 }), 3)
    t.equal(table.bsearch({ 10, 20, 30 }, 20), 2)
    t.equal(table.bsearch({ 10, 20, 30 }, 25), 2)
    t.equal(table.bsearch({ { k = 1 }, { k = 5 } }, 5, function(e) return e.k end), 2)
    t.equal(list(table.join({ 1, 2 }, { 3 })), "1|2|3")
    local first = { 1 }
    t.equal(table.join(first, {}), first)
    t.equal(list(table.build(("x y"):gmatch("%S+"), function(v) return v[1] .. "!" end)), "x!|y!")
    local values = table.values({ a = 1, b = 2 })
    table.sort(values)
    t.equal(list(values), "1|2")
    local sum = 0
    for k, v in table.tuples({ { 1, 2 }, { 3, 4 } }) do
        sum = sum + k * v
    end
    t.equal(sum, 14)
end)

t.test("the system", function()
    t.equal(os.exists("/proc/self/stat"), true)
    t.equal(os.exists("/no/such/file"), false)
    t.equal(os.spawn("echo %s %d", "a", 1), "a 1\n")
end)

t.test("classes", function()
    local Base = class("Base")
    Base.static.made = 0
    function Base:initialize(x)
        self.x = x
        Base.made = nil
        Base.static.made = Base.static.made + 1
    end
    function Base:double() return 2 * self.x end
    function Base.__eq(a, b) return a.x == b.x end
    local Derived = class("Derived", Base)
    function Derived:initialize(x)
        Base.initialize(self, x + 1)
    end
    local d, b = Derived:new(1), Base(2)
    t.equal(d:double(), 4)
    t.equal(d == Derived(1), true)
    t.equal(d:isInstanceOf(Base), true)
    t.equal(b:isInstanceOf(Derived), false)
    t.equal(Derived:isSubclassOf(Base), true)
    t.equal(Derived.super, Base)
    t.equal(tostring(Derived) .. ", " .. tostring(d), "class Derived, instance of class Derived")
    t.equal(Base.static.made, 3)
    -- What the base learns later, the derived knows.
    function Base:triple() return 3 * self.x end
    t.equal(d:triple(), 6)
    Derived:include({ quad = function(self) return 4 * self.x end, static = { kind = "mixed" } })
    t.equal(d:quad(), 8)
    t.equal(Derived.kind, "mixed")
    t.equal(Base.kind, nil)
    Derived.__index = function(_, key) return key .. "?" end
    t.equal(d.unknown, "unknown?")
    t.equal(d:double(), 4)
end)

t.test("posix", function()
    local posix = utils.posix
    local before = posix.time_ns(posix.CLOCK.MONOTONIC)
    t.equal(posix.sleep(0.02), true)
    local slept = posix.time_ns(posix.CLOCK.MONOTONIC) - before
    t.equal(slept >= 0.02e9, true)
    t.equal(posix.cpu_count() >= 1, true)
    t.equal(posix.tonumber64("ffffffff81000000", 16) == 0xffffffff81000000ULL, true)
    t.equal(posix.tonumber64("12") == 12ULL, true)
    t.contains(t.fails(posix.tonumber64, 12), "argument `text` of `tonumber64` is a number: it must be a string")
    t.contains(t.fails(posix.time_ns, 99), "cannot read clock 99")
end)

declared = 1

t.test("a typo in a global is an error", function()
    declared = declared + 1
    t.equal(declared, 2)
    t.contains(t.fails(function() return declaerd end), "cannot read the undeclared variable `declaerd`")
    t.contains(t.fails(function() undeclared = 1 end), "cannot assign to the undeclared variable `undeclared`")
    t.equal(rawget(_G, "undeclared"), nil)
end)
