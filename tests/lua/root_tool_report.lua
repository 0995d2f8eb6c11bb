-- SPDX-License-Identifier: Apache-2.0
-- What tools show, in each form that can be asked for: text, JSON, CSV, folded stacks, flame graphs, pages.

local t = require("harness")
local tool = require("help.tool")

local SHAPES = io.popen("pwd"):read("*l") .. "/shared/shapes.lua"
local FILE = os.tmpname()

local function shapes(...)
    local outcome = tool.start(SHAPES, { ... }):finish(false)
    t.equal(outcome.err:gsub("page: [^\n]*\n", ""):gsub("flame graph of [^\n]*\n", ""), "")
    t.equal(outcome.status, 0)
    return outcome
end

local function written()
    local file = assert(io.open(FILE, "rb"))
    local text = file:read("*a")
    file:close()
    os.remove(FILE)
    return text
end

t.test("text", function()
    t.equal(shapes("rows", "linear").out, [[
COMM        LAT(ms)                 ADDR
sh             1.23 18446744073709551615
b             10.00
a              9.50                    3
     length        : count     distribution
        0          : 0        |                                        |
        1          : 0        |                                        |
        2          : 2        |****************                        |
        3          : 0        |                                        |
        4          : 5        |****************************************|
]])
    local out = shapes("sections", "stacks").out
    t.contains(out, "\ndisk = sda\n     bytes ")
    t.contains(out, "\ndisk = sdb\n     bytes ")
    t.contains(out, "Off CPU\n    sh\n    main\n    -                dd\n        10 us\n\n    read\n    main\n    -                sh (7)\n        30 us\n")
end)

t.test("a terminal gets no commands from names", function()
    for _, what in ipairs({ "rows", "stacks" }) do
        t.contains(shapes("-n", what).out, '<img src=x onerror="document.title=1">;\\x0a&')
    end
end)

t.test("lists stand below their row", function()
    t.equal(shapes("lists").out, "   CPU\n     2\n    read\n    main\n     3\n")
    t.equal(shapes("--json", "lists").out, '{"output":"framed","cpu":2,"stack":["read","main"]}\n{"output":"framed","cpu":3,"stack":null}\n')
    t.equal(shapes("--csv", "lists").out, "cpu,stack\n2,read;main\n3,\n")
end)

t.test("JSON", function()
    local found = shapes("--json", "rows", "other", "hist", "sections", "stacks")
    t.contains(found.out, '{"comm":"sh","lat":1.23456,"addr":18446744073709551615}\n')
    t.equal(found:row({ output = "other" }).idle, true)
    local hist = found:rows()[5].histogram
    t.equal(hist.title .. hist.unit .. #hist.buckets, "Latencyusecs11")
    t.equal(hist.buckets[1].low * 1e6 + hist.buckets[1].high * 1e3 + hist.buckets[1].count, 1002)
    t.equal(hist.buckets[11].low * 1e6 + hist.buckets[11].high * 1e3 + hist.buckets[11].count, 1024e6 + 2047e3 + 3)
    t.equal(found:rows()[6].histogram.section .. found:rows()[7].histogram.section, "sdasdb")
    local stack = found:row({ output = "stacks", comm = "sh" })
    t.equal(table.concat(stack.frames, " ") .. stack.value .. stack.unit .. stack.pid, "read main30us7")
end)

t.test("CSV: headings once for each shape", function()
    t.equal(shapes("--csv", "rows", "other", "sections", "stacks").out, [[
comm,lat,addr
sh,1.23456,18446744073709551615
b,10,
a,9.5,3

cpu,idle
1,true

title,section,unit,low,high,count
,sda,bytes,2,3,7
,sdb,bytes,4,7,4

comm,pid,value,unit,frames
dd,,10,us,main;sh
sh,7,30,us,main;read
]])
    t.equal(shapes("--csv", "-n", "stacks").out:match("\n(dd.-)\n"), 'dd,,10,us,"main;<img src=x onerror=""document.title=1"">:\\x0a&\226\128\174 \255 10"')
end)

t.test("folded: a line each, and nothing else", function()
    t.equal(shapes("--folded", "rows", "hist", "views", "stacks").out, "dd;main;sh 10\nsh;main;read 30\n")
    local nasty = shapes("--folded", "-n", "stacks").out
    t.equal(select(2, nasty:gsub("\n", "")), 2)
end)

t.test("a flame graph, in place of text", function()
    local found = shapes("--flamegraph", FILE, "stacks")
    t.equal(found.out, "")
    t.equal(found.err, ("flame graph of 2 stacks: %s\n"):format(FILE))
    local svg = written()
    t.contains(svg, "<title>main (30 us, 75.00%)</title>")
    t.contains(svg, "<title>all (40 us, 100%)</title>")
    shapes("--flamegraph", FILE, "-n", "stacks")
    assert(not written():find("<img", 1, true))
    shapes("--flamegraph", FILE, "nothing")
    t.contains(written(), "no stacks were seen")
end)

t.test("a page", function()
    shapes("--html", FILE, "rows", "other", "hist", "sections", "stacks", "views", "say")
    local html = written()
    for _, part in ipairs({
        "<h1>shapes</h1>", "All that a tool can show", "rows other hist sections stacks views say</code>", "Latency", "sda", "view 3",
        'data-v="1.23456">1.23</td>', ">18446744073709551615</td>", "<summary>view 1 ", "Tracing... sh", "<dd>nothing</dd>", "Off CPU",
    }) do
        t.contains(html, part)
    end
    t.equal(select(2, html:gsub("<figure>", "")), 3)
    t.equal(select(2, html:gsub('<details class="older">', "")), 2)
    shapes("--html", FILE, "-n", "rows", "sections", "stacks", "say")
    assert(not written():find("<img", 1, true))
end)

t.test("a file that cannot be written is told before anything runs", function()
    for _, option in ipairs({ "--flamegraph", "--html" }) do
        local outcome = tool.start(SHAPES, { option, "/no/such/folder/file", "rows" }):finish(false)
        t.equal(outcome.status, 3)
        t.equal(outcome.out, "")
        t.contains(outcome.err, "/no/such/folder/file`: no such file or directory (ENOENT)")
    end
end)
