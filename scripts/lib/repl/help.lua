-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- `help(x)` and `x?`: what a function, a map, a BPF object, a probe or a name of the kernel is.

local docs = require("bpflua.docs")
local errors = require("bpflua.errors")
local members = require("bpflua.repl.complete_members")
local native = require("bpflua.native")
local notes_of = require("bpflua.repl.complete_notes")
local options_of = require("bpflua.repl.complete_options").options_of
local show_text = require("bpflua.show_text")
local surface = require("bpflua.surface")

local M = {}

-- ---------------------------------------------------------------- functions

local function signature_of(doc, name)
    return ("%s(%s)"):format(name or "function", table.concat(doc.params, ", "))
end

-- `@param event string the name`, `@return integer`: the head of a line, and what stands beside it.
local function tag_of(line)
    local name, rest = line:match("^@param%s+(%S+)%s+(.*)$")
    if name then
        return name:gsub("%?$", ""), rest
    end
    local returned = line:match("^@return%s+(.*)$")
    return returned and "returns", returned
end

-- Columns of the screen.
local function columns()
    local is_prompt, width = pcall(native.prompt.size)
    return is_prompt and width or (native.terminal.size())
end

-- Heads with what stands beside them, one under the other.
local function add_list(lines, list, indent)
    local widest = 0
    for _, one in ipairs(list) do
        widest = math.max(widest, #one[1])
    end
    for _, one in ipairs(list) do
        lines[#lines + 1] = show_text.hanging(indent .. one[1], #indent + widest + 2, one[2], columns())
    end
end

local function function_text(fn, name)
    local doc = docs.of(fn)
    local info = debug.getinfo(surface.original(fn), "S")
    if not doc then
        local place = info.what == "C" and "a function of the host" or ("defined at %s:%d"):format(info.short_src, info.linedefined)
        return ("%s: %s\n"):format(name or "function", place)
    end
    local lines, tags, words = { signature_of(doc, name) }, {}, {}
    for _, line in ipairs(doc.lines) do
        local head, text = tag_of(line)
        if head then
            tags[#tags + 1] = { head, text }
        elseif not line:match("^@") then
            words[#words + 1] = line
        end
    end
    if #words > 0 then
        lines[#lines + 1] = show_text.hanging("", 2, table.concat(words, " "), columns())
    end
    add_list(lines, tags, "  ")
    local options = options_of(fn)
    if options then
        local names = {}
        for option in pairs(options) do
            names[#names + 1] = option
        end
        table.sort(names)
        lines[#lines + 1] = "  options:"
        local list = {}
        for i, option in ipairs(names) do
            list[i] = { option, options[option] }
        end
        add_list(lines, list, "    ")
    end
    return table.concat(lines, "\n") .. "\n"
end

-- ---------------------------------------------------------------- objects

local function sorted_keys(of)
    local names = {}
    for name in pairs(of) do
        names[#names + 1] = name
    end
    table.sort(names)
    return names
end

local function probe_lines(object)
    local lines = {}
    for _, probe in ipairs(object:probes()) do
        local why = #probe.why > 0 and (" (%s)"):format(table.concat(probe.why, "; ")) or ""
        lines[#lines + 1] = ("  %s %s -> %s, by %s%s"):format(probe.kind, probe.target, probe.fn_name, probe.mechanism, why)
        if tonumber(probe.missed) > 0 then
            lines[#lines + 1] = ("    the kernel missed %s runs"):format(tostring(probe.missed))
        end
    end
    return lines
end

local function object_text(object)
    if not object._handle then
        return "BPF object (closed)\n"
    end
    local lines = { "BPF object" }
    local functions = native.object.functions(object._handle)
    lines[#lines + 1] = "functions: " .. table.concat(functions, ", ")
    lines[#lines + 1] = "maps:"
    for _, name in ipairs(sorted_keys(object._maps)) do
        lines[#lines + 1] = ("  %-16s %s"):format(name, (notes_of.of(object._maps[name]):gsub("^map: ", "")))
    end
    local attached = probe_lines(object)
    lines[#lines + 1] = #attached > 0 and "attached:" or "nothing is attached"
    for _, line in ipairs(attached) do
        lines[#lines + 1] = line
    end
    return table.concat(lines, "\n") .. "\n"
end

local function type_lines(lines, label, ctype)
    if not ctype then
        return
    end
    lines[#lines + 1] = ("  %s: %s"):format(label, ctype.name)
    for _, field in ipairs(ctype.fields and ctype:members() or {}) do
        lines[#lines + 1] = ("    %-16s %s"):format(field.name, field.type and field.type.name or "")
    end
end

local function map_text(map)
    local lines = { ("map %s: %s, %d elements at most"):format(map.name, map.kind, map.max_entries) }
    type_lines(lines, "key", rawget(map, "key_type"))
    type_lines(lines, "value", rawget(map, "value_type"))
    type_lines(lines, "event", rawget(map, "event_type"))
    return table.concat(lines, "\n") .. "\n"
end

-- ---------------------------------------------------------------- names of the kernel

local function attached_to(name)
    local lines = {}
    for _, object in ipairs(require("bpflua.objects")) do
        for _, line in ipairs(probe_lines(object)) do
            if line:find(name, 1, true) then
                lines[#lines + 1] = line
            end
        end
    end
    return lines
end

local function fields_lines(text)
    local what = ("cannot tell what `%s` is"):format(text)
    local lines = {}
    local handle = native.probes.expand(text, nil, what)[1]
    for _, field in ipairs(native.probes.fields(handle)) do
        lines[#lines + 1] = "  " .. field.declaration
    end
    return lines
end

-- A probe in bpftrace's spelling: how many it stands for, and what the first hands out.
local function probe_text(text)
    local listed = native.probes.list(text)
    if #listed == 0 then
        return nil
    end
    local first = listed[1]
    local state = first.is_traceable == true and ", traceable" or first.is_traceable == false and ", not traceable" or ""
    local lines = { first.text .. state .. (first.kernel_module and " [" .. first.kernel_module .. "]" or "") }
    for _, line in ipairs(fields_lines(first.text)) do
        lines[#lines + 1] = line
    end
    if #listed > 1 then
        lines[#lines + 1] = ("and %d more: `:search %s`"):format(#listed - 1, text)
    end
    local attached = attached_to(first.text:match("[^:]*$"))
    if #attached > 0 then
        lines[#lines + 1] = "attached:"
        for _, line in ipairs(attached) do
            lines[#lines + 1] = line
        end
    end
    return table.concat(lines, "\n") .. "\n"
end

-- A function, tracepoint or structure of the kernel by its bare name.
local function kernel_text(name)
    local signature = native.complete.signature(name)
    if signature then
        local arguments, result = signature:match("^(.*) %-> (.*)$")
        return ("%s %s%s\n"):format(result, name, arguments) .. (probe_text("kprobe:" .. name) or "")
    end
    local members_of_type = native.complete.members(name)
    if #members_of_type > 0 then
        local lines = { name .. " {" }
        for _, one in ipairs(members_of_type) do
            lines[#lines + 1] = "    " .. one.note .. ";"
        end
        return table.concat(lines, "\n") .. "\n}\n"
    end
    return name:find("^[%w_]+$") and probe_text("tracepoint:*:" .. name) or nil
end

-- ---------------------------------------------------------------- which it is

local BPF_HELP = [[
BPF{text = "C text"} or BPF{src_file = "probe.c"} compiles it, creates its maps, attaches the functions whose names or sections
say to what, and gives the object. Its maps are its fields. `BPF.` and Tab lists what needs no object.
]]

---What a value is, as text.
---@param value any
---@param name? string what the user calls it
---@return string
function M.text(value, name)
    if type(value) == "function" then
        return function_text(value, name)
    elseif value == package.loaded.bpf then
        return BPF_HELP
    elseif type(value) == "table" and rawget(value, "_maps") then
        return object_text(value)
    elseif type(value) == "table" and rawget(value, "key_label") then
        return map_text(value)
    elseif type(value) == "table" and rawget(value, "code") and rawget(value, "spec") then
        return tostring(value) .. "\n\nits C text:\n" .. value.code
    elseif type(value) == "string" then
        local found = value:find(":", 1, true) and probe_text(value) or kernel_text(value)
        if found then
            return found
        end
    end
    return ("%s: %s\n"):format(name or type(value), notes_of.of(value))
end

local HELP = [[
bpflua's prompt runs Lua. An expression is printed; `_` is the last result.
  b = BPF{text = [=[ C text ]=]}    compile C, create its maps, attach its probes
  count("kprobe:vfs_*", "comm")     count, hist, stacks, trace, latency: one-liners
  help(x) or x?                     a function, map, object; "vfs_read"?, "struct file"?, "tracepoint:sched:*"?
  :help                             the commands
Tab completes. Ctrl-C interrupts, Ctrl-D leaves.
]]

---Prints what a value is; without one, how to go on.
---@param ... any a function, map, object or other value; as a string, the name of a probe, a kernel function or `struct NAME`
function M.help(...)
    if select("#", ...) == 0 then
        return print((HELP:gsub("\n$", "")))
    end
    print((M.text((...)):gsub("\n$", "")))
end

-- The value of an expression of names and dots; whatever else is evaluated as an expression.
local function evaluate(session, text)
    local fn = loadstring("return " .. text, "=(repl):help")
    if not fn then
        return false
    end
    setfenv(fn, session.environment)
    return pcall(fn)
end

---Answers a question, `x?`.
---@param session bpflua.Session
---@param text string what stands before the question mark
function M.question(session, text)
    if text == "" then
        return M.help()
    end
    local ok, value = evaluate(session, text)
    if ok and value ~= nil then
        return print((M.text(value, text:match("[%w_]+$")):gsub("\n$", "")))
    end
    local found = text:find("^[%w_*?: ]+$") and (text:find(":", 1, true) and probe_text(text) or kernel_text(text))
    if found then
        return print((found:gsub("\n$", "")))
    end
    errors.unknown(("nothing is called `%s`"):format(text), text, members.variables(session), "names")
end

return M
