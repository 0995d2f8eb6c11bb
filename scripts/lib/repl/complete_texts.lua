-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Completion inside text literals: probes, names of their values, functions, files, C.

local locals = require("bpflua.repl.locals")
local members = require("bpflua.repl.complete_members")
local native = require("bpflua.native")
local options = require("bpflua.repl.complete_options")
local ranked = require("bpflua.repl.ranked")

local M = {}

local LIMIT = 60

-- Candidates that begin at a byte of the typed word, from 0, as such that begin at a place of the line.
local function at(start, offset, found)
    return start + offset, found
end

-- ---------------------------------------------------------------- kinds of text

---Files and folders.
---@param typed string
---@param start integer where it begins in the line, from 1
function M.files(typed, start)
    return at(start, native.complete.files(typed, LIMIT))
end

---Programs in PATH.
function M.programs(typed, start)
    return start, native.complete.programs(typed, LIMIT)
end

---A probe in bpftrace's spelling; behind a comma the next one.
function M.probe(typed, start, pid)
    local before = typed:match("^.*,%s*()%l+:") or 1
    local one = typed:sub(before)
    local path = one:match("^u[%l]*:([^:]*)$") or one:match("^U:([^:]*)$")
    if path then
        local offset = #one - #path
        local first, found = native.complete.files(path, LIMIT)
        if #found == 1 and found[1].text:sub(-1) ~= "/" then
            -- Its functions come next.
            native.complete.read_ahead(path:sub(1, first) .. found[1].text, pid)
        end
        return at(start + before - 1 + offset, first, found)
    end
    return at(start + before - 1, native.complete.probe(one, pid, LIMIT))
end

local ONELINERS = { count = true, hist = true, stacks = true, trace = true, latency = true }

local function with_kind(spec)
    return spec:find("^[%w_]+:") and spec or "kprobe:" .. spec
end

---Names of a probe's values, in the last word of an expression.
function M.value(spec, typed, start, pid)
    local first = typed:match("()[%w_%.%->%[%]]*$")
    local word = typed:sub(first)
    local ok, offset, found = pcall(native.complete.value, with_kind(spec), word, pid, LIMIT)
    if not ok then
        offset, found = 0, {}
    end
    if not word:find("[%.>]") then
        local builtins, is_whole = require("bpflua.oneliner_values").builtins(), #found == 0
        for _, name in ipairs(native.complete.best(word, builtins, LIMIT)) do
            -- What is spelled otherwise than it begins would keep the common beginning from being filled in.
            if is_whole or name:sub(1, #word) == word then
                found[#found + 1] = { text = name, note = "of every probe" }
            end
        end
    end
    return at(start + first - 1, offset, found)
end

---C, by the compiler's own knowledge.
function M.c(inside, after, start)
    local offset, found = native.complete.c(inside, after, LIMIT)
    return at(start, offset, found)
end

-- ---------------------------------------------------------------- options

local function kernel_functions(typed, start)
    return start, native.complete.functions(typed, LIMIT)
end

-- The text or number that an option of a table has: a literal, or what a variable holds.
local function option_in(session, tokens, first, name)
    for i = first, #tokens - 2 do
        if tokens[i].text == name and tokens[i + 1].text == "=" then
            local value = tokens[i + 2]
            if value.kind == "name" then
                return session:value(value.text)
            end
            return value.text:match("^[\"'](.*)[\"']$") or tonumber(value.text)
        end
    end
end

-- The path and the process that the table of the cursor names.
local function file_of(place, brace, path_option)
    local path = option_in(place.session, place.tokens, brace + 1, path_option)
    local pid = option_in(place.session, place.tokens, brace + 1, "pid")
    return type(path) == "string" and path or nil, type(pid) == "number" and pid or nil
end

local function functions_of_object(place, name)
    local object = members.value_of_chain(place.session, place.tokens, name - 2)
    local handle = type(object) == "table" and rawget(object, "_handle")
    local notes = {}
    for _, fn in ipairs(handle and native.object.functions(handle) or {}) do
        notes[fn] = "function of the C text"
    end
    return notes
end

local function of_file(kind, path, typed, start, pid)
    local head = kind .. ":" .. path .. ":"
    local offset, found = native.complete.probe(head .. typed, pid, LIMIT)
    return at(start, math.max(0, offset - #head), found)
end

local MECHANISMS = { auto = "the cheapest that works", fentry = "", kprobe_multi = "", kprobe = "", sys_enter = "for system calls" }

-- By the option's name: what completes its text.
local OPTIONS = {
    event = function(_, typed, start)
        return kernel_functions(typed, start)
    end,
    tp = function(place, typed, start, name)
        if place.tokens[name].text:find("raw_tracepoint", 1, true) then
            local offset, found = native.complete.probe("rawtracepoint:" .. typed, nil, LIMIT)
            return at(start, offset - #"rawtracepoint:", found)
        end
        return start, native.complete.tracepoints(typed, LIMIT)
    end,
    fn_name = function(place, typed, start, name)
        return start, ranked(typed, functions_of_object(place, name))
    end,
    sym = function(place, typed, start, _, brace)
        local path, pid = file_of(place, brace, "name")
        if path then
            return of_file("uprobe", path, typed, start, pid)
        end
    end,
    probe = function(place, typed, start, _, brace)
        local path, pid = file_of(place, brace, "path")
        if path or pid then
            return of_file("usdt", path or "*", typed, start, pid)
        end
    end,
    mechanism = function(_, typed, start)
        return start, ranked(typed, MECHANISMS)
    end,
}
for _, name in ipairs({ "name", "path", "src_file", "object", "hdr_file" }) do
    OPTIONS[name] = function(_, typed, start)
        return M.files(typed, start)
    end
end

-- ---------------------------------------------------------------- which it is

local function is_c(literal, option)
    return option == "text" or literal.is_long and (literal.inside:find("\n", 1, true) or literal.inside:find("[;{#(]")) ~= nil
end

-- The rest of a literal, behind the cursor.
local function rest_of(place, literal)
    local closing = literal.is_long and literal.quote:gsub("%[", "]") or literal.quote
    local stop = place.after:find(closing, 1, true)
    return stop and place.after:sub(1, stop - 1) or place.after
end

local STANDARD_MODULES = {
    bpf = "BPF",
    ffi = "LuaJIT's foreign functions",
    bit = "bits of numbers",
    jit = "the compiler",
    ["bpflua.utils"] = "argparse, posix, USDT",
    bcc = "BPF, by bcc's name",
    ["bcc.utils"] = "printb, get_online_cpus, detect_language, StrcmpRewrite",
    ["bcc.containers"] = "filter_by_containers",
    ["bcc.syscall"] = "syscall_name",
    ["bcc.tcp"] = "names of TCP's states and flags",
    ["bcc.exec"] = "run_cmd",
}

local function modules(typed, start)
    local notes = {}
    -- Installed packs, each a folder.
    for _, place in ipairs(native.run.pack_folders()) do
        local _, found = native.complete.files(place.folder .. "/", 1000)
        for _, one in ipairs(place.refused and {} or found) do
            local name = one.text:match("^([%w_%-]+)/$")
            if name then
                notes[name] = "pack in " .. place.folder
            end
        end
    end
    for name, note in pairs(STANDARD_MODULES) do
        notes[name] = note
    end
    return start, ranked(typed, notes)
end

-- The probe that a one-liner is given: the first literal in its parentheses.
local function probe_of_call(place, name)
    local first = place.tokens[name + 2]
    return first and first.kind == "string" and first.text:match("^[\"'](.*)[\"']$") or ""
end

-- The option `pid` of a one-liner, which may stand before the cursor or behind it.
local function process_of_call(place, literal, name)
    local behind = place.after:sub(#rest_of(place, literal) + #literal.quote + 1)
    local pid = option_in(place.session, place.tokens, name, "pid") or option_in(place.session, locals.tokens(behind), 1, "pid")
    return type(pid) == "number" and pid or nil
end

local function in_oneliner(place, literal, name, brace, option)
    local stop = #place.tokens - 1
    local _, commas = options.open_bracket(place.tokens, brace and brace - 1 or stop)
    local pid = process_of_call(place, literal, name)
    if not option and commas == 0 then
        return M.probe(literal.inside, literal.first, pid)
    elseif not option or option == "filter" then
        return M.value(probe_of_call(place, name), literal.inside, literal.first, pid)
    end
end

local function option_before(tokens)
    local equals, name = tokens[#tokens - 1], tokens[#tokens - 2]
    return equals and equals.text == "=" and name and name.kind == "name" and name.text or nil
end

local function plain(literal)
    local typed = literal.inside
    if typed:find("^[%w_]+:") then
        return M.probe(typed, literal.first)
    elseif typed:find("/", 1, true) or typed:find("^%.") then
        return M.files(typed, literal.first)
    end
end

---Completes in a text literal that is open at the cursor.
---@param place bpflua.Place
---@param literal {quote: string, inside: string, first: integer, is_long: boolean}
---@return integer? start
---@return bpflua.Candidate[]?
function M.inside(place, literal)
    local option = option_before(place.tokens)
    if is_c(literal, option) then
        return M.c(literal.inside, rest_of(place, literal), literal.first)
    end
    local _, name, brace = options.called_here(place, #place.tokens - 1)
    local called = name and place.tokens[name].text
    if called and ONELINERS[called] then
        return in_oneliner(place, literal, name, brace, option)
    elseif called == "require" then
        return modules(literal.inside, literal.first)
    elseif brace and option and OPTIONS[option] then
        return OPTIONS[option](place, literal.inside, literal.first, name, brace)
    end
    return plain(literal)
end

return M
