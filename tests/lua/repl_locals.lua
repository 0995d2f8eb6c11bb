-- SPDX-License-Identifier: Apache-2.0
-- The locals of a prompt's statements become variables; everything else stays where it is.

local locals = require("bpflua.repl.locals")

local function rewritten(text, expected, names)
    local got, found = locals.rewrite(text)
    assert(got == expected, ("%q gives\n%s\nnot\n%s"):format(text, got, expected))
    assert(table.concat(found, " ") == names, table.concat(found, " "))
    assert(loadstring(got), got)
    -- Lines and columns of what follows a declaration with a value.
    assert(select(2, got:gsub("\n", "")) == select(2, text:gsub("\n", "")))
end

rewritten("local x = 1", "      x = 1", "x")
rewritten("local x", "      x=nil", "x")
rewritten("local a, b, c", "      a, b, c=nil", "a b c")
rewritten("local a , b = f()", "      a , b = f()", "a b")
rewritten("local function f(x) local y = x return y end", "      function f(x) local y = x return y end", "f")
rewritten("do local x = 1 end local y = 2", "do local x = 1 end       y = 2", "y")
rewritten("if a then local x = 1 elseif b then local y = 2 else local z = 3 end local w = 4",
    "if a then local x = 1 elseif b then local y = 2 else local z = 3 end       w = 4", "w")
rewritten("for i = 1, 2 do local x = i end local y = 1", "for i = 1, 2 do local x = i end       y = 1", "y")
rewritten("while f() do local x = 1 end repeat local y = 1 until y local z = 1",
    "while f() do local x = 1 end repeat local y = 1 until y       z = 1", "z")
rewritten("local s = 'local a' local t = [[local b]] --[[local c]] local u = \"\\\"local d\" -- local e",
    "      s = 'local a'       t = [[local b]] --[[local c]]       u = \"\\\"local d\" -- local e", "s t u")
rewritten("local t = { [[a]], [=[ ]] ]=], f = function() local x end }\nlocal n = t[1]",
    "      t = { [[a]], [=[ ]] ]=], f = function() local x end }\n      n = t[1]", "t n")
rewritten("x = y local z", "x = y       z=nil", "z")
rewritten("local a local b = 1", "      a=nil       b = 1", "a b")
rewritten("t.localx = 1 localy = 2", "t.localx = 1 localy = 2", "")
rewritten("local x = 0x1fULL + 1e3 + .5 local y = x..'a'", "      x = 0x1fULL + 1e3 + .5       y = x..'a'", "x y")

-- What is no Lua is given back; nothing is raised.
for _, text in ipairs({ "local", "local 1", "local function", "x = [[", "'abc", "end end", "local x =", "--[[", "\\" }) do
    assert(type(locals.rewrite(text)) == "string")
end
