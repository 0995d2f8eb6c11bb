-- SPDX-License-Identifier: Apache-2.0
-- Every operation of the instruction set as text: the instructions are written as numbers, with operands at random, and
-- what is expected is made of the same numbers.

local ffi = require("ffi")
local t = require("harness")

-- What an operation is written as; DST, SRC, IMM, BITS (the immediate in hexadecimal), PLUS (with its sign), OFF, PC.
local OPERATIONS = {}

local function arithmetic(code, operator, immediate)
    -- 32 bits and 64 bits, with an immediate and with a register.
    for _, width in ipairs({ 4, 7 }) do
        OPERATIONS[code + width] = ("DST %s %s"):format(operator, immediate or "IMM")
        OPERATIONS[code + width + 8] = ("DST %s SRC"):format(operator)
    end
end

for code, operator in pairs({ [0] = "+=", [0x10] = "-=", [0x20] = "*=", [0x30] = "/=", [0x60] = "<<=", [0x70] = ">>=", [0x90] = "%=",
    [0xb0] = "=", [0xc0] = "s>>=" }) do
    arithmetic(code, operator)
end
for code, operator in pairs({ [0x40] = "|=", [0x50] = "&=", [0xa0] = "^=" }) do
    arithmetic(code, operator, "BITS")
end
OPERATIONS[0x84], OPERATIONS[0x87] = "DST = - (u32)DST", "DST = - (u64)DST"
for code, order in pairs({ [0xd4] = "le", [0xdc] = "be", [0xd7] = "bswap" }) do
    OPERATIONS[code] = ("DST = %sIMM DST"):format(order)
end
for code, operator in pairs({ [0x10] = "==", [0x20] = ">", [0x30] = ">=", [0x40] = "&", [0x50] = "!=", [0x60] = "s>", [0x70] = "s>=",
    [0xa0] = "<", [0xb0] = "<=", [0xc0] = "s<", [0xd0] = "s<=" }) do
    for _, width in ipairs({ 5, 6 }) do
        OPERATIONS[code + width] = ("if DST %s IMM goto pcOFF <PC>"):format(operator)
        OPERATIONS[code + width + 8] = ("if DST %s SRC goto pcOFF <PC>"):format(operator)
    end
end
OPERATIONS[0x05], OPERATIONS[0x95] = "goto OFF <PC>", "exit"
for code, bits in pairs({ [0] = 32, [0x08] = 16, [0x10] = 8, [0x18] = 64 }) do
    OPERATIONS[0x20 + code] = ("r0 = *(u%d*)skb[IMM]"):format(bits)
    OPERATIONS[0x40 + code] = ("r0 = *(u%d*)skb[SRC PLUS]"):format(bits)
    OPERATIONS[0x61 + code] = ("DST = *(u%d*)(SRC OFF)"):format(bits)
    OPERATIONS[0x62 + code] = ("*(u%d*)(DST OFF) = IMM"):format(bits)
    OPERATIONS[0x63 + code] = ("*(u%d*)(DST OFF) = SRC"):format(bits)
    if bits < 64 then
        OPERATIONS[0x81 + code] = ("DST = *(s%d*)(SRC OFF)"):format(bits)
    end
end

-- Offsets of moves, divisions and remainders say what kind they are: none here.
local function has_offset(code)
    local class = code % 8
    return class ~= 4 and class ~= 7
end

local function signed(number, bits)
    return number >= 2 ^ (bits - 1) and number - 2 ^ bits or number
end

local seed = os.time()
math.randomseed(seed)

local codes = {}
for code in pairs(OPERATIONS) do
    codes[#codes + 1] = code
end
table.sort(codes)

local quads, wanted = {}, {}
for index, code in ipairs(codes) do
    local dst, src = math.random(0, 9), math.random(0, 9)
    local off = has_offset(code) and math.random(0, 0xffff) or 0
    local imm = code == 0x85 and 1 or math.random(0, 0xffff) * 0x10000 + math.random(0, 0xffff)
    if code == 0xb4 then
        -- Moves of numbers from 0 on become those of 64 bits when an object is opened.
        imm = imm % 0x80000000 + 0x80000000
    end
    local word = code + bit.lshift(dst + 0ULL, 8) + bit.lshift(src + 0ULL, 12) + bit.lshift(off + 0ULL, 16) + bit.lshift(imm + 0ULL, 32)
    quads[index] = ('asm volatile(".quad 0x%s");'):format(bit.tohex(word))
    local values = {
        DST = "r" .. dst, SRC = "r" .. src, IMM = ("%d"):format(signed(imm, 32)), BITS = "0x" .. bit.tohex(imm):gsub("^0+(.)", "%1"),
        PLUS = ("%+d"):format(signed(imm, 32)), OFF = ("%+d"):format(signed(off, 16)), PC = ("%d"):format(index - 1 + signed(off, 16) + 1),
    }
    local text = OPERATIONS[code]:gsub("%u%u+", values)
    wanted[index] = ("%4d: (%02x) %s"):format(index - 1, code, text)
end

-- Never loaded: nothing of it makes sense.
local b = BPF({ text = ('SEC("socket") int all(struct __sk_buff *skb) { %s return 0; }'):format(table.concat(quads, "\n")) })

t.test(("every operation, with operands of seed %d"):format(seed), function()
    local lines = {}
    for line in b:disassemble_func("all"):gmatch("[^\n]+") do
        lines[#lines + 1] = line
    end
    t.equal(lines[1], "Disassemble of BPF program all:")
    for index in ipairs(codes) do
        t.equal(lines[index + 1], wanted[index])
    end
    t.equal(#codes > 100, true)
end)

t.test("the bytes are those that were written", function()
    local bytes = b:dump_func("all")
    for index, code in ipairs(codes) do
        t.equal(bytes:byte(8 * index - 7), code)
    end
end)
