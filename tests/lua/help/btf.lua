-- SPDX-License-Identifier: Apache-2.0
-- The kernel's structs as its BTF describes them, read by hand: where their bit fields are.

local ffi = require("ffi")
ffi.cdef([[
struct test_btf_header { uint16_t magic; uint8_t version, flags; uint32_t header, type_off, type_len, str_off, str_len; };
struct test_btf_type { uint32_t name, info, size; };
]])

local INT, ARRAY, STRUCT, UNION, ENUM, VAR, DECL_TAG, ENUM64 = 1, 3, 4, 5, 6, 14, 17, 19
-- const, volatile, typedef, restrict and type tags stand for another type.
local SAME = { [8] = true, [9] = true, [10] = true, [11] = true, [18] = true }
local ROW_BYTES = { [STRUCT] = 12, [UNION] = 12, [ENUM] = 8, [13] = 8, [15] = 12, [ENUM64] = 12 }
local EXTRA_BYTES = { [INT] = 4, [ARRAY] = 12, [VAR] = 4, [DECL_TAG] = 4 }

local file = assert(io.open("/sys/kernel/btf/vmlinux", "rb"))
local BYTES = file:read("*a")
file:close()
local DATA = ffi.cast("const uint8_t *", BYTES)
local HEADER = ffi.cast("const struct test_btf_header *", DATA)
local STRINGS = DATA + HEADER.header + HEADER.str_off

local offsets, structs = {}, {}

local function kind_of(at)
    return bit.band(bit.rshift(at.info, 24), 31)
end

do
    local at = HEADER.header + HEADER.type_off
    local last = at + HEADER.type_len
    while at < last do
        local type = ffi.cast("const struct test_btf_type *", DATA + at)
        local kind, rows = kind_of(type), bit.band(type.info, 0xffff)
        offsets[#offsets + 1] = at
        if kind == STRUCT and type.name ~= 0 then
            local name = ffi.string(STRINGS + type.name)
            structs[name] = structs[name] or #offsets
        end
        at = at + 12 + (EXTRA_BYTES[kind] or 0) + rows * (ROW_BYTES[kind] or 0)
    end
end

local function type_of(id)
    local type = ffi.cast("const struct test_btf_type *", DATA + offsets[id])
    if SAME[kind_of(type)] then
        return type_of(type.size)
    end
    return type, ffi.cast("const uint32_t *", type + 1)
end

local function collect(id, path, base, found)
    local record, row = type_of(id)
    local has_bits = bit.rshift(record.info, 31) == 1
    for _ = 1, bit.band(record.info, 0xffff) do
        local name = ffi.string(STRINGS + row[0])
        local place = base + (has_bits and bit.band(row[2], 0xffffff) or row[2])
        local width = has_bits and bit.rshift(row[2], 24) or 0
        local type, extra = type_of(row[1])
        if width > 0 and name ~= "" then
            local signed = kind_of(type) == INT and bit.band(bit.rshift(extra[0], 24), 1) == 1
            found[#found + 1] = { name = path .. name, place = place, width = width, signed = signed }
        elseif width == 0 and (kind_of(type) == STRUCT or kind_of(type) == UNION) then
            collect(row[1], name == "" and path or (path .. name .. "."), place, found)
        end
        row = row + 3
    end
    return found
end

local M = {}

---The bit fields of a kernel struct and of the structs in it: how C names them, the bit where they begin, their width,
---whether they are signed. Nothing when the kernel has no such struct.
function M.bit_fields(struct)
    return structs[struct] and collect(structs[struct], "", 0, {})
end

return M
