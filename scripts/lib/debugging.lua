-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The option `debug` of `BPF{…}`: what is shown on standard error of what was compiled, by bcc's numbers.

local bit = require("bit")
local c_source = require("bpflua.c_source")
local errors = require("bpflua.errors")
local native = require("bpflua.native")

local M = {}

---bcc's bits, by its names: LLVM's form; instructions, and the verifier's view of the registers at branches; the text behind
---the preprocessor; instructions under the lines they come from; the verifier's view at every instruction; what libbpf says.
M.BITS = {
    DEBUG_LLVM_IR = 1,
    DEBUG_BPF = 2,
    DEBUG_PREPROCESSOR = 4,
    DEBUG_SOURCE = 8,
    DEBUG_BPF_REGISTER_STATE = 16,
    DEBUG_BTF = 32,
}

local ALL = 63

local function has(debug, name)
    return math.floor(debug / M.BITS[name]) % 2 == 1
end

---The bits of the option, which is their sum, a name, or a list of names.
---@param option? integer|string|string[]
---@return integer
function M.bits(option)
    if type(option) == "number" then
        if option > ALL then
            errors.fail({ what = ("option `debug` of `BPF` is %d"):format(option), why = ("it must be a sum of 1, 2, 4, 8, 16 and 32, at most %d"):format(ALL) })
        end
        return option
    end
    local bits = 0
    for i, name in ipairs(type(option) == "string" and { option } or option or {}) do
        if type(name) ~= "string" then
            errors.fail({ what = ("`debug[%d]` of `BPF` is a %s"):format(i, errors.type_name(name)), why = "it must be a name" })
        end
        local known = "DEBUG_" .. name:upper():gsub("^DEBUG_", "")
        if not M.BITS[known] then
            errors.unknown(("option `debug` of `BPF` does not know `%s`"):format(name), known, M.BITS, "names")
        end
        bits = bit.bor(bits, M.BITS[known])
    end
    return bits
end

---The bits that are wanted of an object: bcc-lua's `--llvm-debug` goes before the option.
---@param option? integer|string|string[]
---@return integer
function M.wanted(option)
    return rawget(_G, "LIBBCC_LLVM_DEBUG") or M.bits(option)
end

---What the compiler is to keep of a text for `show_text`.
---@param debug integer
---@return boolean ir
---@return boolean preprocessed
function M.of_text(debug)
    return has(debug, "DEBUG_LLVM_IR"), has(debug, "DEBUG_PREPROCESSOR")
end

---How much the verifier is to write of programs that it accepts.
---@param debug integer
---@return integer
function M.log_level(debug)
    return has(debug, "DEBUG_BPF_REGISTER_STATE") and 2 or has(debug, "DEBUG_BPF") and 1 or 0
end

local function show(text)
    io.stderr:write(text, "\n")
end

---Shows what `debug` asks for of a C text, before its object is created; from then on what libbpf says, if that is asked for.
---@param elf userdata
---@param debug integer
function M.show_text(elf, debug)
    local shown = native.create.shown(elf)
    local parts = { DEBUG_PREPROCESSOR = shown.preprocessed or false, DEBUG_LLVM_IR = shown.ir or false }
    for _, name in ipairs({ "DEBUG_PREPROCESSOR", "DEBUG_LLVM_IR" }) do
        if has(debug, name) then
            show(parts[name] or ("%s: there is nothing to show of an object that was compiled before"):format(name))
        end
    end
    if has(debug, "DEBUG_BTF") then
        native.create.show_libbpf()
    end
end

-- Not every function can be loaded before it is known what it is attached to.
local function show_log(handle, name)
    local ok, log = pcall(native.bytecode.log, handle, name)
    show(ok and log or ("no verifier log of `%s` yet: %s"):format(name, (tostring(log):match("[^\n]*"))))
end

---Shows what `debug` asks for of every function of an object.
---@param handle userdata
---@param debug integer
---@param c_text? CText
function M.show(handle, debug, c_text)
    for _, name in ipairs(native.object.functions(handle)) do
        if has(debug, "DEBUG_BPF") then
            show(("Disassemble of BPF program %s:"):format(name))
            show(table.concat(native.bytecode.lines(handle, name), "\n"))
        end
        if has(debug, "DEBUG_SOURCE") then
            show(("Disassembly of %s:"):format(name))
            show(table.concat(c_source.listing(handle, c_text, name), "\n"))
        end
        if M.log_level(debug) > 0 then
            show_log(handle, name)
        end
    end
end

return M
