-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Type stubs for editors (LuaLS): of bpflua itself, from its functions and their comments, and of a script's own maps and
-- events, from its C texts. `bpflua types` prints them.

local docs = require("bpflua.docs")
local surface = require("bpflua.surface")
local types = require("bpflua.types")

local M = {}

local HEAD = [[
-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
---@meta bpflua
-- What bpflua's scripts see, for editors. Made from the comments in scripts/lib by `bpflua types`; change those.
]]

-- A name for the local that stands for a class in the stub.
local function local_name(class)
    return "_" .. (class:gsub("^bpflua%.", ""):gsub("[^%w_]", "_"))
end

local function add_comment(out, lines)
    for _, line in ipairs(lines) do
        out[#out + 1] = "---" .. line
    end
end

local function add_functions(out, one)
    local name = one.global or local_name(one.class)
    out[#out + 1] = one.global and name .. " = {}" or ("local %s = {}"):format(name)
    for _, fn_name in ipairs(surface.names(one)) do
        local doc = docs.of(one.functions[fn_name])
        out[#out + 1] = ""
        if doc then
            add_comment(out, doc.lines)
        end
        local params = doc and table.concat(doc.params, ", ") or "..."
        out[#out + 1] = ("function %s%s%s(%s) end"):format(name, one.is_object and ":" or ".", fn_name, params)
    end
end

---The stub of bpflua itself: every public class, function and method with its documentation.
---@return string lua
function M.api()
    for _, module in ipairs(surface.on_demand) do
        require(module)
    end
    local out, with_functions = { HEAD }, {}
    for _, one in ipairs(surface.all) do
        with_functions[one.class] = one
    end
    local declared = {}
    for _, block in ipairs(docs.classes()) do
        local class = block[1]:match("^@class%s+([%w_%.]+)") or block[1]
        -- Files that add methods to a class name it again.
        if not declared[class] or #block > 1 then
            add_comment(out, block)
            if with_functions[class] and not declared[class] then
                add_functions(out, with_functions[class])
            end
            out[#out + 1] = ""
        end
        declared[class] = true
    end
    for _, one in ipairs(surface.all) do
        if not declared[one.class] then
            out[#out + 1] = "---@class " .. one.class
            add_functions(out, one)
            out[#out + 1] = ""
        end
    end
    return table.concat(out, "\n")
end

-- ---------------------------------------------------------------- a script's own types

-- LuaLS's word for a C type, as scripts see its values.
local function lua_type(ctype, class_of)
    if ctype.kind == "struct" or ctype.kind == "union" then
        return class_of(ctype)
    elseif ctype.kind == "array" then
        if ctype.element.kind == "char" then
            return "ffi.cdata*|string"
        end
        return lua_type(ctype.element, class_of) .. "[]"
    elseif ctype.kind == "bool" then
        return "boolean"
    elseif ctype.kind == "int128" or ctype.kind == "pointer" or ctype.kind == "bytes" then
        return "ffi.cdata*"
    end
    return ctype.size == 8 and ctype.kind ~= "float" and "ffi.cdata*|integer" or ctype.kind == "float" and "number" or "integer"
end

local Writer = {}
Writer.__index = Writer

-- The class of a struct, written when it is first met; those inside it come before it.
function Writer:class_of(ctype)
    local tag = (ctype.name:gsub("^struct ", ""):gsub("^union ", ""):gsub("[^%w_]", "_"))
    local class = self.prefix .. "." .. (tag ~= "" and tag or "anonymous")
    if self.written[class] then
        return class
    end
    self.written[class] = true
    local block = { ("---@class %s: bpflua.Struct"):format(class) }
    for _, field in ipairs(ctype:members()) do
        local name = lua_type(types.of(field.type), function(inner)
            return self:class_of(inner)
        end)
        block[#block + 1] = ("---@field %s %s %s"):format(field.name, name, field.type.name)
    end
    self.out[#self.out + 1] = table.concat(block, "\n") .. "\n"
    return class
end

function Writer:type_name(ctype)
    return ctype and lua_type(ctype, function(struct)
        return self:class_of(struct)
    end) or "nil"
end

-- The classes of one map: what its elements and its events are.
local function map_class(writer, class, map)
    local block = { ("---@class %s: bpflua.Map"):format(class) }
    if map.event_type then
        local event = writer:type_name(types.of(map.event_type))
        local method = map.kind == "ringbuf" and "open_ring_buffer" or "open_perf_buffer"
        block[#block + 1] = ("---@field %s fun(self: %s, callback: fun(cpu: integer, event: %s, size: integer), options?: bpflua.BufferOptions): %s")
            :format(method, class, event, class)
        block[#block + 1] = ("---@field event fun(self: %s, data: ffi.cdata*): %s"):format(class, event)
    elseif map.key_type and map.value_type then
        local key, value = writer:type_name(types.of(map.key_type)), writer:type_name(types.of(map.value_type))
        block[#block + 1] = ("---@field get fun(self: %s, key: %s): %s?"):format(class, key, value)
        block[#block + 1] = ("---@field items fun(self: %s): fun(): %s, %s"):format(class, key, value)
        block[#block + 1] = ("---@field [any] %s"):format(value)
    end
    return table.concat(block, "\n") .. "\n"
end

---The stub of one BPF object: `---@type PREFIX.BPF` on a script's variable completes its maps and their events.
---@param prefix string the script's name, for the classes
---@param maps table<string, {kind: string, key_type?: table, value_type?: table, event_type?: table}>
---@return string lua
function M.of_maps(prefix, maps)
    local writer = setmetatable({ prefix = prefix, out = {}, written = {} }, Writer)
    local names, fields = {}, { ("---@class %s.BPF: bpflua.BPF"):format(prefix) }
    for name in pairs(maps) do
        names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
        local class = ("%s.%s_map"):format(prefix, (name:gsub("[^%w_]", "_")))
        -- It writes the classes of structs first.
        local text = map_class(writer, class, maps[name])
        writer.out[#writer.out + 1] = text
        if name:match("^[%a_][%w_]*$") then
            fields[#fields + 1] = ("---@field %s %s"):format(name, class)
        end
    end
    writer.out[#writer.out + 1] = table.concat(fields, "\n") .. "\n"
    return table.concat(writer.out, "\n")
end

local of_script, count = nil, 0

---Adds the maps of one C text of the script whose types are wanted.
---@param prefix string
---@param maps table see `of_maps`
function M.add(prefix, maps)
    count = count + 1
    of_script = (of_script or "---@meta\n") .. "\n" .. M.of_maps(count > 1 and prefix .. "_" .. count or prefix, maps)
end

---What `bpflua types` prints: the stub of the script that was run, or of bpflua.
---@return string lua
function M.text()
    return of_script or M.api()
end

return M
