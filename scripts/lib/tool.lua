-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What `BPF.tool()` gives: what a script says of itself in its head, put to use. The arguments are read and checked, rows printed as text,
-- JSON or CSV, histograms and stacks shown, probes attached by the first way that this kernel has.

local errors = require("bpflua.errors")
local events = require("bpflua.events")
local native = require("bpflua.native")
local output = require("bpflua.tool_output")
local tool_args = require("bpflua.tool_args")
local tool_attach = require("bpflua.tool_attach")
local tool_hist = require("bpflua.tool_hist")
local tool_stacks = require("bpflua.tool_stacks")
local tool_stacks_show = require("bpflua.tool_stacks_show")
local tool_view = require("bpflua.tool_view")

---@class bpflua.Tool
---@field args table<string, any> the values of its parameters by name; nil when not given and without a default
---@field name string what it is called by
---@field form {json: boolean?, csv: boolean?, folded: boolean?, flamegraph: string?, html: string?} how it was asked to print, and the files to write
---@field out table<string, bpflua.ToolOutput> its outputs by name, when it has several
local Tool = {}
Tool.__index = Tool

local M = {}

local the_tool

-- An argument that has to be an object of a kind.
local function need(method, name, value, noun, is)
    if not is(value) then
        errors.fail({
            what = ("argument `%s` of `%s` is a %s"):format(name, method, errors.type_name(value)),
            why = ("it must be a %s"):format(noun),
        })
    end
end

local is_map = require("bpflua.map").receiver.is

local function is_object(value)
    return type(value) == "table" and tostring(value):find("^BPF object") ~= nil
end

-- A list whose elements are all of one type of Lua's, and not empty unless it may be.
local function need_list(method, name, list, kind, may_be_empty)
    for i, one in ipairs(list) do
        if type(one) ~= kind then
            errors.fail({ what = ("`%s[%d]` of `%s` is a %s"):format(name, i, method, errors.type_name(one)), why = ("it must be a %s"):format(kind) })
        end
    end
    if #list == 0 and (not may_be_empty or next(list) ~= nil) then
        errors.fail({ what = ("argument `%s` of `%s` is no list"):format(name, method), why = "it has no first element" })
    end
end

---The tool that the script is.
---@return bpflua.Tool
function M.get()
    if not the_tool then
        local entry = native.pack.entry()
        local args, form = tool_args.read(entry, arg)
        the_tool = setmetatable({ args = args, name = entry.name, form = form }, Tool)
        the_tool._out, the_tool.out = output.new(entry, args, form), {}
        for name in pairs(entry.entry.outputs) do
            the_tool.out[name] = the_tool._out:of(name)
        end
        events.at_end(function()
            the_tool._out:finish()
        end)
    end
    return the_tool
end

---Prints a row of the tool's output: values by the names of the columns. The headings come before the first.
---@param row table<string, any> numbers, texts, booleans, 64-bit cdata; nil is an empty cell
function Tool:print(row)
    errors.arguments("print", { "row", "table!" }, row)
    self._out:of():print(row)
end

---Prints the headings, unless they are there: for tools that wait for their first row.
function Tool:header()
    self._out:of():header()
    self._out:flush()
end

---Sets widths of columns of the text, before anything is printed: for options such as `--wide`.
---@param widths table<string, integer> characters by the names of columns
function Tool:widths(widths)
    errors.arguments("widths", { "widths", "table!" }, widths)
    local main = self._out:of()
    main:_check(widths)
    main:_arrange(widths)
end

---A line for people: on standard output as text, on standard error beside JSON and CSV.
---@param text string the line
function Tool:say(text)
    errors.arguments("say", { "text", "string!" }, text)
    self._out:say(text)
end

---Writes a text for people as it is, and a row in its place where data was asked for (JSON, CSV, a page).
---@param text string
---@param row table<string, any> as for `print`
function Tool:write(text, row)
    errors.arguments("write", { "text", "string!", "row", "table!" }, text, row)
    if self._out:is_data() then
        self._out:of():print(row)
    else
        io.write(text)
    end
    self._out:flush()
end

---Whether text for people is printed: neither JSON nor CSV nor folded stacks.
---@return boolean
function Tool:is_text()
    return self._out:is_text()
end

---Shows a histogram.
---@param map bpflua.Map one of the C text (`BPF_HISTOGRAM`), also by a struct key, or a hash of counts by slot
---@param options? {unit?: string, title?: string, section?: string, section_fn?: fun(bucket: any): string, linear?: boolean, clear?: boolean}
---`unit`: what the values are ("usecs", "bytes"); `title`: a line above it; `section`: what the sections of a struct key are, and
---`section_fn` their text; `linear`: slots count themselves, not powers of two; `clear`: empties the map afterwards
function Tool:hist(map, options)
    options = errors.options("hist", options, {
        unit = "string", title = "string", section = "string", section_fn = "function", linear = "boolean", clear = "boolean",
    })
    need("hist", "map", map, "map", is_map)
    tool_hist.show(self._out, map, options)
end

---Shows stacks, those that count most last, or writes them folded or as a flame graph when that was asked for.
---@param stacks {frames: string[], value: number, comm?: string, pid?: integer, slots?: table<integer, number>, target?: string, waker?: string, count?: integer}[]
---`frames`: the innermost first; `slots`: a log2 histogram of the stack's values, counts by slot, that is shown below it; `target`,
---`waker`: a thread that the innermost frame leads to; what else is in them is in JSON, too
---@param options? {unit?: string, title?: string, counted?: string, is_snapshot?: boolean} `unit`: what `value` counts ("samples", "us",
---"bytes"); `counted`: what the stacks' `count` is, if they have one ("allocations"); `is_snapshot`: they take the place of those before in a
---flame graph, and are not added to them
function Tool:stacks(stacks, options)
    errors.arguments("stacks", { "stacks", "table!" }, stacks)
    need_list("stacks", "stacks", stacks, "table", true)
    for i, stack in ipairs(stacks) do
        if type(stack.frames) ~= "table" or not tonumber(stack.value) then
            errors.fail({ what = ("`stacks[%d]` of `stacks` has no frames or no value"):format(i), why = "it is written {frames = {…}, value = 1}" })
        end
    end
    tool_stacks_show.show(self._out, stacks, errors.options("stacks", options, {
        unit = "string", title = "string", counted = "string", is_snapshot = "boolean",
    }))
end

local FRAMES = {
    kernel = "integer", user = "integer", pid = "integer", delimited = "boolean", annotate = "boolean", offset = "boolean", address = "boolean",
}

---The names of a stack's functions, for `tool:stacks`: those of the kernel, then those of the process, the innermost first. What is
---on top only because it is traced is left out; stacks that the map did not keep are told at the end.
---@param map bpflua.Map a `BPF_STACK_TRACE`
---@param options {kernel?: integer, user?: integer, pid?: integer, delimited?: boolean, annotate?: boolean, offset?: boolean, address?: boolean}
---`kernel`, `user`: what `get_stackid` gave; `pid`: whose the user stack is; `delimited`: `--` between the two; `annotate`: functions
---of the kernel end in `_[k]`; `offset`: with the distance from the function's start; `address`: with the address
---@return string[]
function Tool:frames(map, options)
    options = errors.options("frames", options, FRAMES)
    need("frames", "map", map, "map", is_map)
    return tool_stacks.frames(map, options)
end

---Shows rows as a whole: a view that is drawn anew on a terminal, a table below the last one elsewhere.
---@param rows table<string, any>[] as for `print`
---@param options? {title?: string, output?: string, keep?: boolean} `title`: a line above it; `output`: which of several;
---`keep`: leaves what is on the screen
function Tool:view(rows, options)
    errors.arguments("view", { "rows", "table!" }, rows)
    need_list("view", "rows", rows, "table", true)
    options = errors.options("view", options, { title = "string", output = "string", keep = "boolean" })
    tool_view.show(self._out, rows, options)
end

---Attaches by the first of several ways that this kernel has; when it has none, the error tells why of each.
---@param b bpflua.BPF an object made with `attach = false`
---@param ways table[][] each a list of attachments that belong together: `{ {tp = "sched:sched_switch", fn_name = "f"} }`,
---`{ {event = "vfs_read", fn_name = "f"}, {event = "vfs_read", fn_name = "g", retprobe = true} }`; besides `tp` and `event` (a kernel
---function, by fentry or kprobe) `raw_tp` and `kfunc`, `kretfunc`
---@return integer way which of them it was
function Tool:attach(b, ways)
    need("attach", "b", b, "BPF object", is_object)
    errors.arguments("attach", { "b", "any!", "ways", "table!" }, b, ways)
    need_list("attach", "ways", ways, "table")
    return tool_attach.first(b, ways)
end

---Attaches to those of some system calls that this kernel has, by their tracepoints; an error when it has none of them.
---@param b bpflua.BPF an object made with `attach = false`
---@param names string[] as in `sys_enter_NAME`: "openat", "newfstatat"
---@param functions {enter?: string, exit?: string} functions of the C text, as
---`int enter_open(struct tracepoint__raw_syscalls__sys_enter *ctx)` and `int exit_open(struct tracepoint__raw_syscalls__sys_exit *ctx)`
---@return string[] attached those that it has
function Tool:attach_syscalls(b, names, functions)
    functions = errors.options("attach_syscalls", functions, { enter = "string", exit = "string" })
    errors.arguments("attach_syscalls", { "b", "any!", "names", "table!" }, b, names)
    need("attach_syscalls", "b", b, "BPF object", is_object)
    need_list("attach_syscalls", "names", names, "string")
    return tool_attach.syscalls(b, names, functions)
end

-- The time that is left, and how long the next piece of it is.
local function pieces(options)
    local left = options.duration or math.huge
    local count = options.count or math.huge
    return function()
        if left <= 0 or count <= 0 then
            return nil
        end
        local piece = math.min(options.interval or math.huge, left)
        left, count = left - piece, count - 1
        return piece
    end
end

---Runs until Ctrl-C, for a duration, or for a number of intervals; `each` is called after each interval and at the end.
---@param options? {interval?: number, count?: integer, duration?: number, each?: fun(is_last: boolean)} seconds
function Tool:run(options)
    options = errors.options("run", options, { interval = "seconds", count = "natural", duration = "seconds", each = "function" })
    local each = options.each or function() end
    local next_piece = pieces(options)
    local piece = next_piece()
    while piece do
        local how = BPF.run({ duration = piece < math.huge and piece or nil })
        piece = how == "timeout" and next_piece() or nil
        each(piece == nil)
        self._out:flush()
    end
end

---Ends the tool with an error: what could not be done, and why.
---@param what string what could not be done
---@param why? string the reason, in words
function Tool:fail(what, why)
    errors.arguments("fail", { "what", "string!", "why", "string" }, what, why)
    errors.fail({ what = what, why = why })
end

require("bpflua.surface").add_methods("bpflua.Tool", Tool, {
    noun = "tool",
    is = function(value)
        return getmetatable(value) == Tool
    end,
})
require("bpflua.surface").add_methods("bpflua.ToolOutput", output.Output, {
    noun = "tool's output",
    is = function(value)
        return getmetatable(value) == output.Output
    end,
})

return M
