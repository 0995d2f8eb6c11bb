-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What stands behind a dot or a colon: methods, maps, fields, members of events and keys.

local notes_of = require("bpflua.repl.complete_notes")
local surface = require("bpflua.surface")

local M = {}

---The names that a statement can use, and what they are.
---@param session bpflua.Session
---@return table<string, string>
function M.variables(session)
    local notes = {}
    for _, name in ipairs(session:names()) do
        if name:sub(1, 1) ~= "_" or name == "_" then
            notes[name] = notes_of.of(session:value(name))
        end
    end
    return notes
end

-- ---------------------------------------------------------------- members of values

local function add_functions(notes, functions)
    for name, value in pairs(functions) do
        if type(name) == "string" and name:sub(1, 1) ~= "_" and type(value) == "function" then
            notes[name] = notes_of.of_function(value)
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
                notes[name] = notes_of.of(member)
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
            notes[name] = "map: " .. notes_of.of_map(map)
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
    elseif notes_of.is_object(value) then
        return of_bpf_object(value, mark)
    elseif notes_of.is_map(value) then
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
    if notes_of.is_object(value) then
        return rawget(value, "_maps")[name] or surface_of("bpflua.BPF")[name]
    elseif notes_of.is_map(value) then
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
    return notes_of.is_map(map) and rawget(map, "event_type") or nil
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
    return notes_of.is_map(map) and types[number] and rawget(map, types[number]) or nil
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

return M
