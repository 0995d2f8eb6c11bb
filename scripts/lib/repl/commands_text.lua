-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Commands that show functions of C texts: as C, and as the instructions that the kernel got.

local subjects = require("bpflua.repl.subjects")
local text = require("bpflua.show_text")

local M = {}

local function only_word(command, rest)
    local words = subjects.words(rest)
    subjects.at_most(command, words, 1)
    return subjects.text_function(command, words[1])
end

local function src(_, rest)
    local object, name = only_word("src", rest)
    print(text.printable_lines(object:source_func(name)))
end

local function asm(_, rest)
    local object, name = only_word("asm", rest)
    print(text.printable_lines(object:disassemble_func(name, true)))
end

local function complete_function(_, word)
    local native, found = require("bpflua.native"), {}
    for _, object in ipairs(require("bpflua.objects")) do
        for _, name in ipairs(native.object.functions(object:_object())) do
            found[#found + 1] = name:sub(1, #word) == word and { text = name } or nil
        end
    end
    return found
end

---Adds the commands.
---@param commands table
function M.define(commands)
    commands.define({ name = "src", args = "[FUNCTION]", help = "the C text of a function", run = src, complete = complete_function })
    commands.define({
        name = "asm",
        args = "[FUNCTION]",
        help = "the BPF instructions of a function under the lines they come from",
        run = asm,
        complete = complete_function,
    })
end

return M
