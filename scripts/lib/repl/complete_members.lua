-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What stands behind a dot or a colon, and in tables of options: methods, maps, fields, members of events and keys.

local docs = require("bpflua.docs")
local surface = require("bpflua.surface")

local M = {}

-- ---------------------------------------------------------------- notes

-- The first sentence of a function's documentation.
local function summary(fn)
    local doc = docs.of(fn)
    local words = {}
    for _, line in ipairs(doc and doc.lines or {}) do
        if line:match("^@") then
            break
        end
        words[#words + 1] = line
    end
    local text = table.concat(words, " ")
    return text:match("^(.-[%.:])%s") or text
end

local function function_note(fn)
    local doc = docs.of(fn)
    return ("(%s)  %s"):format(doc and table.concat(doc.params, ", ") or "…", summary(fn))
end

local function is_map(value)
    return type(value) == "table" and rawget(value, "key_label") ~= nil and rawget(value, "kind") ~= nil
end

local function is_object(value)
    return type(value) == "table" and rawget(value, "_maps") ~= nil and rawget(value, "_handle") ~= nil
end

local function map_note(map)
    local words = { map.kind }
    for _, part in ipairs({ "key_type", "value_type", "event_type" }) do
        local ctype = rawget(map, part)
        if ctype then
            words[#words + 1] = part:match("^%l+") .. " " .. tostring(ctype.name or ctype.decl or "")
        end
    end
    return table.concat(words, ", ")
end

local function one_line(text)
    text = text:match("^[^\n]*")
    return #text > 40 and text:sub(1, 39) .. "…" or text
end

---What a value is, in few words.
---@param value any
---@return string
function M.note(value)
    if type(value) == "function" then
        return docs.of(value) and function_note(value) or "function"
    elseif is_map(value) then
        return "map: " .. map_note(value)
    elseif type(value) == "table" then
        return is_object(value) and "BPF object" or getmetatable(value) and "object" or "table"
    elseif type(value) == "string" then
        return one_line(("%q"):format(value))
    end
    local ok, text = pcall(tostring, value)
    return ok and type(value) ~= "userdata" and one_line(text) or type(value)
end

---The names that a statement can use, and what they are.
---@param session bpflua.Session
---@return table<string, string>
function M.variables(session)
    local notes = {}
    for _, name in ipairs(session:names()) do
        if name:sub(1, 1) ~= "_" or name == "_" then
            notes[name] = M.note(session:value(name))
        end
    end
    return notes
end

-- ---------------------------------------------------------------- members of values

local function add_functions(notes, functions)
    for name, value in pairs(functions) do
        if type(name) == "string" and name:sub(1, 1) ~= "_" and type(value) == "function" then
            notes[name] = function_note(value)
        end
    end
end

local function surface_of(class)
    for _, one in ipairs(surface.all) do
        if one.class == class then
            return one.functions
        end
    end
    return {}
end

local function names_of_type(ctype)
    local notes = {}
    for _, field in ipairs(ctype.fields and ctype:members() or {}) do
        notes[field.name] = tostring(field.type and (field.type.name or field.type.decl) or "")
    end
    return notes
end

local function index_table(value)
    local metatable = debug.getmetatable(value)
    return metatable and type(rawget(metatable, "__index")) == "table" and metatable.__index or nil
end

-- Members of a table, those that its metatable gives among them.
local function members_of_table(value, only_functions)
    local notes = {}
    for _, one in ipairs({ index_table(value) or {}, value }) do
        for name, member in pairs(one) do
            local is_wanted = not only_functions or type(member) == "function"
            if type(name) == "string" and name:match("^[%a_][%w_]*$") and name:sub(1, 1) ~= "_" and is_wanted then
                notes[name] = M.note(member)
            end
        end
    end
    return notes
end

-- Objects whose class the surface knows, by what is in their metatables.
local function methods_of_object(value)
    local metatable = debug.getmetatable(value)
    local index = metatable and metatable.__index
    if type(index) == "table" then
        return members_of_table(index, true)
    end
    return nil
end

local function of_bpf_object(value, mark)
    local notes = {}
    add_functions(notes, surface_of("bpflua.BPF"))
    if mark == "." then
        for name, map in pairs(rawget(value, "_maps")) do
            notes[name] = "map: " .. map_note(map)
        end
        notes.vars = "the global variables of the C text"
    end
    return notes
end

local function of_cdata(value)
    local types = require("bpflua.types")
    local ctype = types.of_value(value)
    return ctype and names_of_type(ctype) or {}
end

---The names behind a value.
---@param value any
---@param mark "."|":"
---@return table<string, string>
function M.of_value(value, mark)
    if value == package.loaded.bpf then
        local notes = {}
        add_functions(notes, surface_of("bpflua.Class"))
        return notes
    elseif is_object(value) then
        return of_bpf_object(value, mark)
    elseif is_map(value) then
        local notes = {}
        add_functions(notes, surface_of("bpflua.Map"))
        return notes
    elseif type(value) == "string" then
        return members_of_table(string, true)
    elseif type(value) == "cdata" then
        return of_cdata(value)
    elseif type(value) == "table" then
        return mark == ":" and methods_of_object(value) or members_of_table(value, mark == ":")
    end
    return {}
end

-- ---------------------------------------------------------------- chains

local function without_call(value, name)
    if is_object(value) then
        return rawget(value, "_maps")[name] or surface_of("bpflua.BPF")[name]
    elseif is_map(value) then
        return rawget(value, name) or surface_of("bpflua.Map")[name]
    elseif value == package.loaded.bpf then
        return surface_of("bpflua.Class")[name]
    elseif type(value) == "table" then
        local found = rawget(value, name)
        local index = found == nil and index_table(value)
        return found == nil and index and rawget(index, name) or found
    end
end

-- The first token of the chain of names that ends at a token: `b`, `.`, `counts`.
local function chain_start(tokens, stop)
    local first = stop
    while first > 0 and tokens[first].kind == "name" do
        local mark = tokens[first - 1]
        if not (mark and mark.kind == "symbol" and (mark.text == "." or mark.text == ":")) then
            return first
        end
        first = first - 2
    end
    return nil
end

---The value of a chain of names, without calling anything.
---@param session bpflua.Session
---@param tokens bpflua.Token[]
---@param stop integer the last token of the chain
---@return any
function M.value_of_chain(session, tokens, stop)
    local first = tokens[stop] and chain_start(tokens, stop)
    if not first then
        return nil
    end
    local value = session:value(tokens[first].text)
    for at = first + 2, stop, 2 do
        value = without_call(value, tokens[at].text)
    end
    return value
end

-- What a handler or a loop calls a thing of a map: `open_ring_buffer(function(cpu, event)`, `for key, value in b.m:items()`.
local HANDLERS = { open_perf_buffer = 2, open_ring_buffer = 2 }
local LOOPS = {
    items = { "key_type", "value_type" }, pairs = { "key_type", "value_type" }, drain = { "key_type", "value_type" },
    items_lookup_batch = { "key_type", "value_type" }, keys = { "key_type" }, values = { "value_type" },
}

local function names_from(tokens, at)
    local names = {}
    while tokens[at] and tokens[at].kind == "name" do
        names[#names + 1] = tokens[at].text
        at = at + 1
        if not (tokens[at] and tokens[at].text == ",") then
            break
        end
        at = at + 1
    end
    return names, at
end

local function place_in(names, name)
    for i, one in ipairs(names) do
        if one == name then
            return i
        end
    end
end

-- `b.events:open_ring_buffer(function(cpu, event)`, of which token `at` is `function`.
local function type_by_handler(place, at, name)
    local tokens = place.tokens
    local number = place_in((names_from(tokens, at + 2)), name)
    local method = tokens[at - 2]
    if not number or not method or tokens[at - 1].text ~= "(" or number ~= HANDLERS[method.text] then
        return nil
    end
    local map = M.value_of_chain(place.session, tokens, at - 4)
    return is_map(map) and rawget(map, "event_type") or nil
end

-- `for key, value in b.counts:items()`, of which token `at` is `for`.
local function type_by_loop(place, at, name)
    local tokens = place.tokens
    local names, after = names_from(tokens, at + 1)
    local number = place_in(names, name)
    if not number or not tokens[after] or tokens[after].text ~= "in" then
        return nil
    end
    local stop = after + 1
    while tokens[stop + 1] and (tokens[stop + 1].text == "." or tokens[stop + 1].text == ":") and tokens[stop + 2] do
        stop = stop + 2
    end
    local types = LOOPS[tokens[stop] and tokens[stop].text or ""]
    local map = types and M.value_of_chain(place.session, tokens, stop - 2)
    return is_map(map) and types[number] and rawget(map, types[number]) or nil
end

-- The type of a name that only the statement being typed knows.
local function type_of_name(place, name)
    for at = #place.tokens, 1, -1 do
        local word = place.tokens[at].text
        local found = word == "function" and type_by_handler(place, at, name) or word == "for" and type_by_loop(place, at, name)
        if found then
            return found
        end
    end
end

---The names behind a chain of names.
---@param place bpflua.Place
---@param chain {mark: string, stop: integer}
---@return table<string, string>
function M.of_chain(place, chain)
    local tokens = place.tokens
    local value = M.value_of_chain(place.session, tokens, chain.stop)
    if value == nil and tokens[chain.stop] and tokens[chain.stop].kind == "name" then
        local ctype = type_of_name(place, tokens[chain.stop].text)
        return ctype and names_of_type(ctype) or {}
    elseif value == nil and tokens[chain.stop] and tokens[chain.stop].kind == "string" then
        return members_of_table(string, true)
    end
    return M.of_value(value, chain.mark)
end

-- ---------------------------------------------------------------- options

-- `{name?: type, …}` of a parameter's documentation.
local function options_in(line, notes)
    local inside = line:match("^@param%s+%S+%s+.-(%b{})")
    for name, kind in (inside or ""):gmatch("([%a_][%w_]*)%??:%s*([^,{}]*)") do
        notes[name] = kind
    end
end

-- The fields of the classes that are options, once they were read.
local fields_of = {}

local function fields_of_class(class)
    local fields = fields_of[class]
    if fields then
        return fields
    end
    fields = {}
    for _, block in ipairs(docs.classes()) do
        for i = 2, block[1]:match("^@class%s+(%S+)") == class and #block or 0 do
            local name, note = block[i]:match("^@field%s+([%a_][%w_]*)%??%s+(.*)$")
            if name then
                fields[name] = note
            end
        end
    end
    fields_of[class] = fields
    return fields
end

-- Options that have a class of their own: `bpflua.OnelinerOptions`.
local function options_of_class(line, notes)
    local class = line:match("^@param%s+%S+%s+.-(bpflua%.[%w]*Options)") or line:match("^@overload.-(bpflua%.[%w]*Options)")
    if not class then
        return
    end
    for name, note in pairs(fields_of_class(class)) do
        notes[name] = note
    end
end

---The options of a function, from its documentation.
---@param fn function
---@return table<string, string>?
function M.options_of(fn)
    local doc = docs.of(fn)
    local notes = {}
    for _, line in ipairs(doc and doc.lines or {}) do
        options_in(line, notes)
        options_of_class(line, notes)
    end
    return next(notes) and notes or nil
end

-- `BPF{…}` is no function of its own: its options are those that `new` checks.
local function options_of_bpf()
    local notes = {}
    for name, kind in pairs(require("bpflua.source").OPTIONS) do
        notes[name] = kind
    end
    return notes
end

local OPENING, CLOSING = { ["("] = true, ["{"] = true, ["["] = true }, { [")"] = true, ["}"] = true, ["]"] = true }

---The token that opens the bracket which token `stop` is in, and how many commas stand between.
---@param tokens bpflua.Token[]
---@param stop integer
---@return integer?
---@return integer commas
function M.open_bracket(tokens, stop)
    local depth, commas = 0, 0
    for at = stop, 1, -1 do
        local token = tokens[at]
        if token.kind == "symbol" and CLOSING[token.text] then
            depth = depth + 1
        elseif token.kind == "symbol" and OPENING[token.text] then
            if depth == 0 then
                return at, commas
            end
            depth = depth - 1
        elseif token.text == "," and depth == 0 then
            commas = commas + 1
        end
    end
    return nil, 0
end

---The function that is called with the table or list which token `stop` is in, and the token of its name.
---@param place bpflua.Place
---@param stop integer
---@return function|table|nil
---@return integer? name
---@return integer? brace the token of the table's brace, if it is in one
function M.called_here(place, stop)
    local tokens = place.tokens
    local open = M.open_bracket(tokens, stop)
    local brace = open and tokens[open].text == "{" and open or nil
    local before = brace and tokens[brace - 1]
    if brace and before and (before.text == "(" or before.text == ",") then
        open = M.open_bracket(tokens, brace - 1)
    end
    local name = open and open - 1
    if not name or name < 1 or tokens[name].kind ~= "name" then
        return nil
    end
    return M.value_of_chain(place.session, tokens, name), name, brace
end

---The options that may be named at the cursor; nil when it is in no table of options.
---@param place bpflua.Place
---@return table<string, string>?
function M.options_here(place)
    local tokens = place.tokens
    local last = tokens[#tokens]
    local stop = last and last.kind == "name" and last.last == #place.text and #tokens - 1 or #tokens
    local before = tokens[stop]
    if not before or before.text ~= "{" and before.text ~= "," then
        return nil
    end
    local fn, _, brace = M.called_here(place, stop)
    if not brace then
        return nil
    elseif fn == package.loaded.bpf then
        return options_of_bpf()
    end
    return type(fn) == "function" and M.options_of(fn) or nil
end

return M
