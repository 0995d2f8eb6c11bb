-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `:search`: which probes there are, and what each hands to a program.

local errors = require("bpflua.errors")
local native = require("bpflua.native")
local probes = require("bpflua.probes")
local subjects = require("bpflua.repl.subjects")
local text = require("bpflua.show_text")

local M = {}

-- More lines are counted: who searches wants to choose, not to read thousands.
local MOST_LINES = 100

local function field_lines(pattern)
    local lines = {}
    local target = native.probes.expand(pattern, nil, ("cannot show `%s`"):format(pattern))[1]
    for _, field in ipairs(target and native.probes.fields(target) or {}) do
        lines[#lines + 1] = "    " .. field.declaration
    end
    return lines
end

-- A probe's fields; of one that tells none, why.
local function add_fields(lines, pattern)
    local ok, fields = pcall(field_lines, pattern)
    if not ok and not errors.is_error(fields) then
        error(fields, 0)
    end
    for _, line in ipairs(ok and fields or { "    (" .. tostring(fields.message) .. ")" }) do
        lines[#lines + 1] = line
    end
end

local function line_of(probe)
    local line = probe.text
    if probe.kernel_module then
        line = line .. "  [" .. probe.kernel_module .. "]"
    end
    return probe.is_traceable == false and line .. "  not traceable" or line
end

local function search(session, rest)
    local words = subjects.words(rest)
    local options = subjects.take_options("search", words, { ["-v"] = true })
    subjects.at_most("search", words, 1)
    if not words[1] then
        errors.fail({ what = "`:search` needs a pattern", hints = { "`:search kprobe:tcp_*`, `:search -v tracepoint:sched:*`, `:search uprobe:bash:*`, `:search openat`" } })
    end
    local found, lines = probes.list_probes(words[1]), {}
    if session.is_json then
        print(require("bpflua.json").encode(found))
        return
    end
    local width = (native.prompt.size())
    for i, probe in ipairs(found) do
        if #lines >= MOST_LINES then
            lines[#lines + 1] = ("%s %s more"):format(text.MARK, text.counted(#found - i + 1, "probe"))
            break
        end
        lines[#lines + 1] = line_of(probe)
        if options["-v"] then
            add_fields(lines, probe.text)
        end
    end
    for _, line in ipairs(lines) do
        print(text.cut(text.printable(line), width))
    end
end

---Adds the command.
---@param commands table
function M.define(commands)
    commands.define({
        name = "search",
        args = "[-v] PATTERN",
        help = "the probes there are: kprobe:tcp_*, uprobe:PATH:*, a word; -v with what each hands over",
        run = search,
    })
end

return M
