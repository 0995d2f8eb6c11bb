-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The option `debug` of `BPF{…}`: what is shown on standard error of what was compiled, by bcc's numbers.

local native = require("bpflua.native")

local M = {}

-- bcc's bits: instructions, instructions under the lines they come from, the verifier's view of the registers.
local BPF, SOURCE, REGISTER_STATE = 2, 8, 16

local function has(debug, flag)
    return math.floor(debug / flag) % 2 == 1
end

---How much the verifier is to write of programs that it accepts.
---@param debug integer
---@return integer
function M.log_level(debug)
    return has(debug, REGISTER_STATE) and 2 or 0
end

local function show(text)
    io.stderr:write(text, "\n")
end

local function show_with_source(handle, name)
    show(("Disassembly of %s:"):format(name))
    local source = native.bytecode.source(handle, name)
    for i, line in ipairs(native.bytecode.lines(handle, name)) do
        if source[i - 1] then
            show("; " .. source[i - 1])
        end
        show(line)
    end
end

---Shows what `debug` asks for of every function of an object.
---@param handle userdata
---@param debug integer
function M.show(handle, debug)
    for _, name in ipairs(native.object.functions(handle)) do
        if has(debug, BPF) then
            show(("Disassemble of BPF program %s:"):format(name))
            show(table.concat(native.bytecode.lines(handle, name), "\n"))
        end
        if has(debug, SOURCE) then
            show_with_source(handle, name)
        end
        if has(debug, REGISTER_STATE) then
            show(native.bytecode.log(handle, name))
        end
    end
end

return M
