-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Commands about the session itself.

local C = require("bpflua.cfunctions")
local errors = require("bpflua.errors")
local native = require("bpflua.native")
local show_text = require("bpflua.show_text")

local M = {}

local function help(commands)
    local lines, widest = {}, 0
    for _, name in ipairs(commands.names()) do
        local command = commands.all[name]
        lines[#lines + 1] = { "  :" .. name .. (command.args and " " .. command.args or ""), command.help }
    end
    lines[#lines + 1] = { "  !command", "run a shell's command; `!command &` in the background; its process is `_pid`, and `pid`" }
    lines[#lines + 1] = { "  name?", "what a function, map or value is" }
    for _, line in ipairs(lines) do
        widest = math.max(widest, show_text.width(line[1]))
    end
    local columns = native.prompt.size()
    for _, line in ipairs(lines) do
        print(show_text.hanging(line[1], widest + 2, line[2], columns))
    end
end

-- Seconds as a person reads them.
local function duration(seconds)
    if seconds < 1e-3 then
        return ("%.1f µs"):format(seconds * 1e6)
    elseif seconds < 1 then
        return ("%.2f ms"):format(seconds * 1e3)
    end
    return ("%.3f s"):format(seconds)
end

local function time(session, rest)
    if rest == "" then
        errors.fail({ what = "`:time` needs a statement", hints = { ":time b.counts:items()" } })
    end
    local start = C.clock_now()
    session:evaluate(rest)
    print("took " .. duration(C.clock_now() - start))
end

---Adds the commands.
---@param commands table
function M.define(commands)
    commands.define({
        name = "help",
        help = "this list",
        run = function()
            help(commands)
        end,
    })
    commands.define({ name = "time", args = "STATEMENT", help = "run it and tell how long it took", run = time })
    for name, facts in pairs({
        load = { "FILE", "run a script; its locals become variables" },
        save = { "FILE", "write the statements so far as a script" },
        edit = { "[N|NAME|FILE]", "open $EDITOR on a statement, an object's C text or a file, and run what is saved" },
    }) do
        commands.define({
            name = name,
            args = facts[1],
            help = facts[2],
            run = function(session, rest)
                require("bpflua.repl.files")[name](session, rest)
            end,
        })
    end
    commands.define({
        name = "quit",
        help = "leave; everything is detached",
        run = function()
            require("bpflua.repl.prompt").leave()
        end,
    })
end

return M
