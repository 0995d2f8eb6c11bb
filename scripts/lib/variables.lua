-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Global variables of a C text: set before the programs are loaded (`BPF{constants = …}`), read and written afterwards
-- (`b.vars.NAME`) in the memory that the programs use.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local native = require("bpflua.native")
local types = require("bpflua.types")

local M = {}

-- What each table of variables belongs to: apart from it, so that any name can be a variable's.
local owners = setmetatable({}, { __mode = "k" })

---@class bpflua.Variables
---@field [string] any the variable's value
local Variables = {}

local function type_of(variable, name)
    if not variable.type then
        errors.fail({ what = ("cannot use variable `%s`"):format(name), why = "its type has no size" })
    end
    return types.of(variable.type)
end

local function unknown(name, known)
    errors.unknown(("the C text has no global variable `%s`"):format(tostring(name)), tostring(name), known, "global variables")
end

---The bytes of the values that `BPF{constants = …}` is given, checked against the types of the C text.
---@param elf userdata what `native.create.compile` or `open` gave
---@param constants table<string, any>
---@return table<string, string> bytes by the variable's name
function M.initial_values(elf, constants)
    local bytes = {}
    if next(constants) == nil then
        return bytes
    end
    local known = native.create.variables(elf)
    for name, value in pairs(constants) do
        if not known[name] then
            unknown(name, known)
        end
        local ctype = type_of(known[name], name)
        local cell = ctype:cell()
        ctype:store(cell, 0, value, ("variable `%s`"):format(name))
        bytes[name] = ffi.string(cell, ctype.size)
    end
    return bytes
end

-- The place of a variable as an array of its type, in memory that lives as long as the object does.
local function place(self, name)
    local owner = owners[self]
    local handle = owner.bpf:_object()
    local variable = owner.known[name]
    if not variable then
        unknown(name, owner.known)
    end
    if not variable.address then
        local start = ffi.cast("uint8_t *", native.object.memory(handle, variable.map))
        variable.address = ffi.cast(ffi.typeof("$ *", type_of(variable, name).ctype), start + variable.offset)
    end
    return type_of(variable, name), variable
end

function Variables.__index(self, name)
    local ctype, variable = place(self, name)
    return ctype:load(variable.address, 0)
end

function Variables.__newindex(self, name, value)
    local ctype, variable = place(self, name)
    if variable.constant then
        errors.fail({
            what = ("cannot set variable `%s`"):format(name),
            why = "it is a constant",
            hints = { ("give it before the programs are loaded: `BPF{constants = {%s = …}}`"):format(name) },
        })
    end
    ctype:store(variable.address, 0, value, ("variable `%s`"):format(name))
end

function Variables.__pairs(self)
    local names = {}
    for name in pairs(owners[self].known) do
        names[#names + 1] = name
    end
    table.sort(names)
    local at = 0
    return function()
        at = at + 1
        local name = names[at]
        if name then
            return name, self[name]
        end
    end
end

function Variables.__tostring(self)
    local pieces = {}
    for name in Variables.__pairs(self) do
        local ctype, variable = place(self, name)
        pieces[#pieces + 1] = ("%s = %s"):format(name, ctype:text_at(variable.address))
    end
    return "{" .. table.concat(pieces, ", ") .. "}"
end

---The global variables of a BPF object.
---@param bpf bpflua.BPF
---@return bpflua.Variables
function M.new(bpf)
    local self = setmetatable({}, Variables)
    owners[self] = { bpf = bpf, known = native.object.variables(bpf:_object()) }
    return self
end

return M
