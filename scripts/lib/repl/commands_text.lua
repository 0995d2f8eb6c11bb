-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Commands that show functions of C texts: as C, and as the instructions that the kernel got.

local native = require("bpflua.native")
local open_objects = require("bpflua.objects")
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

local function function_names()
    local notes = {}
    for _, object in ipairs(open_objects) do
        for _, name in ipairs(native.object.functions(object:_object())) do
            notes[name] = "function of the C text"
        end
    end
    return notes
end

---Adds the commands.
---@param commands table
function M.define(commands)
    commands.define({ name = "src", args = "[FUNCTION]", help = "the C text of a function", run = src, complete = function_names })
    commands.define({
        name = "asm",
        args = "[FUNCTION]",
        help = "the BPF instructions of a function under the lines they come from",
        run = asm,
        complete = function_names,
    })
end

return M
