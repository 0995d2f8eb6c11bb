-- SPDX-License-Identifier: Apache-2.0
-- `utils.argparse`: values, counts, defaults, commands, the texts of usage and help, what is said of wrong arguments.

local t = require("harness")
local argparse = require("bpflua.utils").argparse

local function parser()
    local one = argparse("opens", "Trace open(2)")
    one:flag("-v --verbose")
    one:option("-p --pid", "trace this process only"):convert(tonumber)
    one:option("-i --interval", "seconds", 5):convert(tonumber)
    one:option("-d --duration", "how long", "9")
    one:flag("-x --exact"):count("0-2")
    one:argument("file"):args("*"):target("files")
    return one
end

local function wrong(one, ...)
    local ok, message = one:pparse({ ... })
    t.equal(ok, false)
    return message
end

t.test("flags, options in all spellings, arguments", function()
    local args = parser():parse({ "-vp", "42", "a", "--interval=7", "-d3", "-xx", "b" })
    t.equal(args.verbose, true)
    t.equal(args.pid, 42)
    t.equal(args.interval, 7)
    t.equal(args.duration, "3")
    t.equal(args.exact, 2)
    t.equal(table.concat(args.files, ","), "a,b")
end)

t.test("what is not given", function()
    local args = parser():parse({})
    t.equal(args.verbose, nil)
    t.equal(args.pid, nil)
    t.equal(args.interval, 5)
    t.equal(args.duration, "9")
    t.equal(args.exact, 0)
    t.equal(#args.files, 0)
end)

t.test("after -- everything is an argument", function()
    local args = parser():parse({ "--", "-v", "--" })
    t.equal(table.concat(args.files, ","), "-v,--")
    t.equal(args.verbose, nil)
end)

t.test("numbers of arguments", function()
    local one = argparse("t")
    one:argument("first")
    one:argument("more"):args("1-2")
    one:option("-o"):args(2)
    one:option("-m"):count("*")
    local args = one:parse({ "a", "b", "c", "-o", "1", "2", "-m", "x", "-m", "y" })
    t.equal(args.first, "a")
    t.equal(table.concat(args.more, ","), "b,c")
    t.equal(table.concat(args.o, ","), "1,2")
    t.equal(table.concat(args.m, ","), "x,y")
    t.equal(wrong(one, "a"), "missing argument 'more'")
    t.equal(wrong(one), "missing argument 'first'")
    t.equal(wrong(one, "a", "b", "-o", "1"), "option '-o' requires 2 arguments")
end)

t.test("wrong arguments are told in argparse's words", function()
    t.equal(wrong(parser(), "--verbos"), "unknown option '--verbos'\nDid you mean '--verbose'?")
    t.equal(wrong(parser(), "-p"), "option '-p' requires an argument")
    t.equal(wrong(parser(), "-p", "x"), "malformed argument 'x'")
    t.equal(wrong(parser(), "--verbose=1"), "option '--verbose' does not take arguments")
    t.equal(wrong(argparse("t"), "x"), "too many arguments")
end)

t.test("a converter's own words, and a table of choices", function()
    local one = argparse("t")
    one:option("-a"):convert(function() return nil, "not today" end)
    one:option("-b"):convert({ yes = true, no = false })
    t.equal(wrong(one, "-a", "1"), "not today")
    t.equal(one:parse({ "-b", "no" }).b, false)
    t.equal(wrong(one, "-b", "perhaps"), "malformed argument 'perhaps'")
end)

t.test("of a mutex only one", function()
    local one = argparse("t")
    one:mutex(one:flag("-q --quiet"), one:flag("-v --verbose"))
    t.equal(one:parse({ "-q", "-q" }).quiet, true)
    t.equal(wrong(one, "-q", "-v"), "option '-v' can not be used together with option '-q'")
end)

t.test("commands", function()
    local one = argparse("t"):command_target("which")
    one:flag("-v")
    local add = one:command("add a", "adds")
    add:argument("what")
    local seen
    add:action(function(args, name) seen = name .. args.what end)
    local args = one:parse({ "a", "-v", "x" })
    t.equal(args.add, true)
    t.equal(args.which, "add")
    t.equal(args.what, "x")
    t.equal(args.v, true)
    t.equal(seen, "addx")
    t.equal(wrong(one), "a command is required")
    t.equal(wrong(one, "ad"), "unknown command 'ad'\nDid you mean one of these: 'add' 'a'?")
end)

t.test("actions", function()
    local one = argparse("t")
    one:flag("--no-color"):target("color"):action("store_false"):init(true)
    one:option("-D"):count("*"):args(2):action("concat"):init({})
    one:option("-l"):action(function(result, target, value) result[target] = value:upper() end)
    local args = one:parse({ "--no-color", "-D", "a", "b", "-D", "c", "d", "-l", "low" })
    t.equal(args.color, false)
    t.equal(table.concat(args.D), "abcd")
    t.equal(args.l, "LOW")
end)

t.test("a default fills an argument that takes several", function()
    local one = argparse("t")
    one:argument("files"):args("2+"):default("x")
    t.equal(table.concat(one:parse({}).files, ","), "x,x")
    t.equal(wrong(one, "a"), "argument 'files' requires at least 2 arguments")
end)

t.test("of two that share a target, the one that says what it begins with is heard", function()
    local one = argparse("t")
    one:flag("--fast"):target("speed"):init("slow")
    one:flag("--faster"):target("speed")
    t.equal(one:parse({}).speed, "slow")
    t.equal(one:parse({ "--faster" }).speed, true)
end)

t.test("actions on what they cannot add to", function()
    local one = argparse("t")
    one:option("-c"):action("count")
    t.equal(one:parse({ "-c", "x" }).c, 1)
    one:option("-a"):action("append"):init("text")
    local err = t.fails(one.pparse, one, { "-a", "x" })
    t.contains(err, "cannot do the action `append` for `a`: it adds to a list, and `init` is a string")
    one:option("-j"):action("concat")
    err = t.fails(one.pparse, one, { "-j", "x" })
    t.contains(err, "it joins lists, and `args` lets one use have one value at most")
    one:option("-k"):args(2):action("concat")
    err = t.fails(one.pparse, one, { "-k", "1", "2", "-k", "3", "4" })
    t.contains(err, "it is given more often than `count` says")
end)

t.test("usage and help", function()
    t.equal(parser():get_usage(), [[
Usage: opens [-v] [-p <pid>] [-i <interval>] [-d <duration>] [-x] [-h]
       [<file>] ...]])
    t.equal(parser():get_help(), [[
Usage: opens [-v] [-p <pid>] [-i <interval>] [-d <duration>] [-x] [-h]
       [<file>] ...

Trace open(2)

Arguments:
   file

Options:
   -v, --verbose
   -p <pid>, --pid <pid> trace this process only
   -i <interval>, --interval <interval>
                         seconds
   -d <duration>, --duration <duration>
                         how long (default: 9)
   -x, --exact
   -h, --help            Show this help message and exit.]])
end)

t.test("properties by position, by method and by table are the same", function()
    local one = argparse("t")
    one:option({ name = "-a --alpha", default = "1", convert = tonumber })
    one:option({ "-b --beta", "second", "2", tonumber })
    local args = one:parse({ "-b", "3" })
    t.equal(args.alpha, 1)
    t.equal(args.beta, 3)
    t.contains(t.fails(one.option, one, { nam = "-c" }), "there is no property `nam`")
    t.contains(t.fails(one.option, one, 5), "bad property `name`: string expected, got number")
    t.contains(t.fails(function() one:option("-x"):args("many") end), "`many` is no number of times")
    t.contains(t.fails(function() one:option("-x"):action("stor") end), "did you mean `store`")
end)
