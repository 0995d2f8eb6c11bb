-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Addresses as scripts have them: numbers, 64-bit integers, pointers, text, frames of stacks.

local bit = require("bit")
local ffi = require("ffi")
local errors = require("bpflua.errors")
local format = require("bpflua.format")

local M = {}

local u64, i64, uintptr = ffi.typeof("uint64_t"), ffi.typeof("int64_t"), ffi.typeof("uintptr_t")
local LARGEST_EXACT = 2 ^ 53

-- A frame of a stack that tells the build ID of a file and an offset in it: struct bpf_stack_build_id.
M.BuildIdFrame = ffi.typeof([[struct {
    int32_t status;
    uint8_t build_id[20];
    union { uint64_t offset; uint64_t ip; };
}]])

-- What was given the address: "`sym`", "option `addr` of `attach_uprobe`".
local function place(of, option)
    return option and ("option `%s` of `%s`"):format(option, of) or ("`%s`"):format(of)
end

local function no_address(where, value, why)
    errors.fail({ what = ("%s does not take the address %s"):format(where, format.text(value)), why = why })
end

local function of_text(where, text)
    local digits = text:match("^%s*0[xX](%x+)%s*$") or text:match("^%s*(%x+)%s*$")
    if not digits or #digits > 16 then
        no_address(where, text, "text must be a hexadecimal number of 64 bits")
    end
    local address = 0ULL
    for digit in digits:gmatch("%x") do
        address = address * 16 + tonumber(digit, 16)
    end
    return address
end

local function of_number(where, number)
    if number % 1 ~= 0 then
        no_address(where, number, "it must be a whole number")
    elseif number > LARGEST_EXACT or number < -LARGEST_EXACT then
        errors.fail({
            what = ("%s does not take the address %.0f"):format(where, number),
            why = "a Lua number of that size has lost its last digits",
            hints = { "write it with ULL at its end, or as text: 0xffffffff81000000ULL, \"0xffffffff81000000\"" },
        })
    end
    return ffi.cast(u64, ffi.cast(i64, number))
end

---An address as 64 bits.
---@param of string the function that was given it, for the error
---@param address number|string|ffi.cdata* a whole number up to 2^53, hexadecimal text, a 64-bit integer, a pointer
---@param option? string the option that holds it, for the error
---@return ffi.cdata* address uint64_t
function M.address(of, address, option)
    local kind = type(address)
    if kind == "cdata" then
        if ffi.istype(u64, address) then
            return address
        elseif ffi.istype(i64, address) then
            return ffi.cast(u64, address)
        end
        local ok, pointer = pcall(ffi.cast, uintptr, address)
        if ok then
            return ffi.cast(u64, pointer)
        end
    elseif kind == "number" then
        return of_number(place(of, option), address)
    elseif kind == "string" then
        return of_text(place(of, option), address)
    end
    errors.fail({
        what = ("%s does not take a %s for an address"):format(place(of, option), errors.type_name(address)),
        why = "an address is a number, a 64-bit integer, a pointer, or hexadecimal text",
    })
end

---The same in decimal digits, which carry all 64 bits into the host; nil for nil.
---@param of string
---@param address? number|string|ffi.cdata*
---@param option? string
---@return string?
function M.digits(of, address, option)
    return address and format.text(M.address(of, address, option))
end

---The upper and the lower half of an address, as the natives take them.
---@param of string the function that was given it, for the error
---@param address any
---@return integer hi
---@return integer lo
function M.halves(of, address)
    address = M.address(of, address)
    return tonumber(bit.rshift(address, 32)), tonumber(bit.band(address, 0xffffffffULL))
end

---The address that two halves make; -1 when there is none.
---@param hi integer?
---@param lo integer?
---@return ffi.cdata*|integer
function M.join(hi, lo)
    if not hi then
        return -1
    end
    return ffi.cast(u64, hi) * 0x100000000ULL + ffi.cast(u64, lo)
end

---The frame with a build ID that a value is, or the like of it; nil when it is none.
---@param value any
---@return ffi.cdata*?
function M.build_id_frame(value)
    -- A plain address, as nearly all are, does not have to raise an error to be told apart.
    if type(value) ~= "cdata" or ffi.istype(u64, value) or ffi.istype(i64, value) then
        return nil
    elseif ffi.istype(M.BuildIdFrame, value) then
        return value
    end
    local ok, frame = pcall(function()
        local copy = M.BuildIdFrame(value.status)
        ffi.copy(copy.build_id, value.build_id, ffi.sizeof(copy.build_id))
        copy.offset = value.offset
        return copy
    end)
    return ok and frame or nil
end

return M
