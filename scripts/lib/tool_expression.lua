-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Expressions of `trace` and `argdist`, in bcc's spelling: C over `arg1` … `arg6`, `retval`, `$pid` and so on, `args->FIELD`,
-- and the names of a signature. Here they become C of the dialect.

local c_expression = require("bpflua.c_expression")
local errors = require("bpflua.errors")

local M = {}

-- Of every probe. As in bcc, `$pid` is what the kernel calls so, the thread.
local COMMON = {
    ["$uid"] = "(u32)bpf_get_current_uid_gid()",
    ["$gid"] = "(u32)(bpf_get_current_uid_gid() >> 32)",
    ["$pid"] = "(u32)bpf_get_current_pid_tgid()",
    ["$tgid"] = "(u32)(bpf_get_current_pid_tgid() >> 32)",
    ["$cpu"] = "bpf_get_smp_processor_id()",
    ["$task"] = "((struct task_struct *)bpf_get_current_task())",
    retval = "PT_REGS_RC(ctx)",
    ["$retval"] = "PT_REGS_RC(ctx)",
}
local RETURN_ONLY = { retval = true, ["$retval"] = true, ["$latency"] = true }
-- The registers of a system call are those of its caller; the fourth argument is in another one than a function's.
local SYSCALL_PARM4 = jit.arch == "x64" and "->r10" or nil

---The C that compares a text at an address with one of the program's.
M.SAME_TEXT = [[
static __always_inline int begins_with(const char *text, const char *start, int size)
{
#pragma unroll
	for (int i = 0; i < size; i++)
		if (text[i] != start[i])
			return 0;
	return 1;
}
]]

---@class ToolExpression where expressions stand
---@field spec ToolProbeSpec
---@field text string the whole, as the user wrote it, for errors
---@field is_user boolean addresses are of a process
---@field is_syscall boolean arguments are those of a system call
---@field usdt table<integer, true> arguments of a USDT probe that are used
---@field words table<string, string> further words and their C
---@field is_user_arg boolean the last expression said `@user`

---@param spec ToolProbeSpec
---@param text string
---@param words? table<string, string>
---@return ToolExpression
function M.new(spec, text, words)
    return {
        spec = spec,
        text = text,
        is_user = spec.type ~= "t" and spec.library ~= "",
        is_syscall = spec.type == "p" and spec.library == "" and spec.name:find("^__%w+_sys_") ~= nil,
        usdt = {},
        words = words or {},
    }
end

---Raises the error of an expression.
---@param state ToolExpression
---@param why string
function M.fail(state, why)
    errors.fail({ what = ("cannot use `%s`"):format(state.text), why = why })
end

local function argument(state, number)
    local kind = state.spec.type
    if kind == "u" then
        state.usdt[number] = true
        return "usdt_arg" .. number
    elseif kind == "r" then
        M.fail(state, ("`arg%d` is gone when the function returns; `retval` is there"):format(number))
    elseif kind == "t" then
        M.fail(state, ("a tracepoint has no `arg%d`; its fields are `args->FIELD`"):format(number))
    elseif state.is_syscall then
        local registers = "((struct pt_regs *)PT_REGS_PARM1(ctx))"
        return number == 4 and SYSCALL_PARM4 and registers .. SYSCALL_PARM4 or ("PT_REGS_PARM%d(%s)"):format(number, registers)
    end
    return ("PT_REGS_PARM%d(ctx)"):format(number)
end

local function word(state, name)
    local number = name:match("^arg([1-6])$")
    if RETURN_ONLY[name] and state.spec.type ~= "r" then
        M.fail(state, ("`%s` is for the return of a function: r:LIBRARY:FUNCTION"):format(name))
    elseif state.words[name] then
        return state.words[name]
    elseif number then
        return argument(state, tonumber(number))
    elseif COMMON[name] then
        return COMMON[name]
    elseif name:sub(1, 1) == "$" then
        local known = {}
        for one in pairs(COMMON) do
            known[one] = true
        end
        for one in pairs(state.words) do
            known[one] = true
        end
        errors.unknown(("cannot use `%s`: there is no `%s`"):format(state.text, name), name, known, "names")
    end
    return name
end

local texts = 0

-- `STRCMP("text", EXPRESSION)`: whether what is at the address begins with the text, as bcc has it.
local function compared(state, inside)
    local literal, rest = inside:match('^%(%s*"([^"]*)"%s*,(.*)%)$')
    if not literal then
        M.fail(state, 'it is written STRCMP("TEXT", EXPRESSION)')
    end
    texts = texts + 1
    local c, is_user_arg = M.c(state, rest)
    local helper = (state.is_user or is_user_arg) and "bpf_probe_read_user_str" or "bpf_probe_read_str"
    local length = #literal:gsub("\\x%x%x", "x"):gsub("\\.", "x")
    return ('({ char text%d[%d] = {}; %s(text%d, sizeof(text%d), (void *)(%s)); begins_with(text%d, "%s", %d); })'):format(
        texts, length + 1, helper, texts, texts, c, texts, literal, length)
end

-- A text or a character is left as it is.
local function literal_at(text, at)
    local quote = text:match("^[\"']", at)
    if not quote then
        return nil
    end
    local stop = at + 1
    while stop <= #text and text:sub(stop, stop) ~= quote do
        stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1)
    end
    return text:sub(at, stop)
end

---An expression as C.
---@param state ToolExpression
---@param text string
---@return string c
---@return boolean is_user_arg whether it said that an argument is an address of the process's (`arg2@user`)
function M.c(state, text)
    local pieces, at, is_user_arg = {}, 1, false
    text = text:gsub("(arg[1-6])@user", function(name)
        is_user_arg = true
        return name
    end)
    while at <= #text do
        local literal = literal_at(text, at)
        local compare = text:match("^STRCMP%s*%b()", at)
        local member = text:match("^%->%s*[%a_][%w_]*", at) or text:match("^%.%s*[%a_][%w_]*", at)
        local name = text:match("^%$?[%a_][%w_]*", at)
        local taken = literal or compare or member or name or text:match("^%d[%w.]*", at) or text:sub(at, at)
        if compare then
            pieces[#pieces + 1] = compared(state, compare:match("%b()"))
        elseif name and not literal and not member then
            pieces[#pieces + 1] = word(state, name)
        else
            pieces[#pieces + 1] = taken
        end
        at = at + #taken
    end
    return table.concat(pieces), is_user_arg
end

---The statements that fetch the arguments of a USDT probe that expressions use.
---@param state ToolExpression
---@return string[]
function M.usdt_lines(state)
    local lines = {}
    for number = 1, 12 do
        if state.usdt[number] then
            lines[#lines + 1] = ("s64 usdt_arg%d = 0; bpf_usdt_readarg(%d, ctx, &usdt_arg%d);"):format(number, number, number)
        end
    end
    return lines
end

---The statement that copies the text at an address.
---@param state ToolExpression
---@param place string an array of `char`
---@param c string the address
---@param is_user_arg boolean
---@return string
function M.copy_text(state, place, c, is_user_arg)
    local helper = (state.is_user or is_user_arg) and "bpf_probe_read_user_str" or "bpf_probe_read_str"
    return ("%s[0] = 0; %s(%s, sizeof(%s), (void *)(%s));"):format(place, helper, place, place, c)
end

---Takes a list apart at its commas, those in parentheses and texts left alone.
---@param text string
---@return string[]
function M.split(text)
    local list, from, at = {}, 1, 1
    while at <= #text do
        local skipped = literal_at(text, at) or text:match("^%b()", at) or text:match("^%b[]", at) or text:match("^%b{}", at)
        if skipped then
            at = at + #skipped
        else
            if text:sub(at, at) == "," then
                list[#list + 1] = text:sub(from, at - 1)
                from = at + 1
            end
            at = at + 1
        end
    end
    list[#list + 1] = text:sub(from)
    for i, one in ipairs(list) do
        list[i] = one:match("^%s*(.-)%s*$")
    end
    return list
end

---The head of a function for a probe.
---@param probe OnelinerProbe
---@param name string the function's
---@param signature? string the parameters of the probed function, as C declares them
---@return string head with the opening brace
function M.head(probe, name, signature)
    local facts = probe.facts
    if facts.kind == "tracepoint" then
        return ("int %s(struct tracepoint__%s__%s *args)\n{\n\tvoid *ctx = args;"):format(name, facts.category, facts.name)
    end
    local more = signature and signature:find("%S") and ", " .. signature or ""
    return ("int %s(struct pt_regs *ctx%s)\n{"):format(name, more)
end

---The lines that include headers: those with a path by it, others by name.
---@param headers string[]
---@return string
function M.includes(headers)
    local lines = { "#include <linux/sched.h>" }
    for _, header in ipairs(headers or {}) do
        lines[#lines + 1] = header:find("^[./]") and ('#include "%s"'):format(header) or ("#include <%s>"):format(header)
    end
    return table.concat(lines, "\n") .. "\n"
end

---Makes an object of a text that has the user's expressions in it: what does not compile is told in their words.
---@param state ToolExpression
---@param options table as `BPF` takes them
---@return bpflua.BPF
function M.compile(state, options)
    return c_expression.compile(options, ("cannot use `%s`"):format(state.text), function(report)
        return { report:match("\n *%d+ >%s*([^\n]*)") }
    end)
end

return M
