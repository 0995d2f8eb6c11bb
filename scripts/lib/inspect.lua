-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Looking at what was compiled: a function's instructions, a map's layout; at programs of user space; at what is attached.

local ffi = require("ffi")
local c_source = require("bpflua.c_source")
local errors = require("bpflua.errors")
local native = require("bpflua.native")
local open_objects = require("bpflua.objects")
local types = require("bpflua.types")

local M = { methods = {}, functions = {} }

local methods, functions = M.methods, M.functions

---The instructions of a function, as bytes: eight for each.
---@param name string a function of the C text
---@return string
function methods:dump_func(name)
    errors.arguments("dump_func", { "name", "string!" }, name)
    return native.bytecode.bytes(self:_object(), name)
end

---The instructions of a function as text, in bcc's form: `   0: (b7) r0 = 1`.
---@param name string a function of the C text
---@param with_source? boolean under the lines of the C text that they come from, each of which begins with `;`
---@return string lines
function methods:disassemble_func(name, with_source)
    errors.arguments("disassemble_func", { "name", "string!", "with_source", "boolean" }, name, with_source)
    local handle = self:_object()
    local lines = with_source and c_source.listing(handle, self._c_text or nil, name) or native.bytecode.lines(handle, name)
    table.insert(lines, 1, ("Disassemble of BPF program %s:"):format(name))
    return table.concat(lines, "\n")
end

---The C text of a function, with the numbers of its lines in the script or the file. Of an object that was compiled before,
---only the lines that instructions come from.
---@param name string a function of the C text
---@return string lines
function methods:source_func(name)
    errors.arguments("source_func", { "name", "string!" }, name)
    return c_source.of_function(self:_object(), self._c_text or nil, name)
end

-- ---------------------------------------------------------------- the layout of a map

local INTEGERS = { [1] = "char", [2] = "short", [4] = "int", [8] = "long long" }

-- What an array of arrays is made of, and its dimensions in C's order.
local function element_of(ctype)
    local dimensions = ""
    while ctype.kind == "array" do
        dimensions = dimensions .. ("[%d]"):format(ctype.count)
        ctype = types.of(ctype.element)
    end
    return ctype, dimensions
end

-- The C name of a type behind its typedefs, as bcc shows it.
local function c_name(ctype)
    if ctype.kind == "struct" or ctype.kind == "union" then
        return ctype.kind
    elseif ctype.kind == "array" then
        local element, dimensions = element_of(ctype)
        return c_name(element) .. dimensions
    elseif ctype.kind == "int" or ctype.kind == "enum" then
        local name = INTEGERS[ctype.size]
        return not ctype.signed and "unsigned " .. name or name == "char" and "signed char" or name
    elseif ctype.kind == "bool" then
        return "_Bool"
    elseif ctype.kind == "pointer" then
        return "unsigned long long"
    elseif ctype.kind == "int128" then
        return ctype.signed and "__int128" or "unsigned __int128"
    end
    return ctype.name
end

local function size_words(offset, size, bits, wanted)
    if not wanted then
        return ""
    elseif bits then
        return ("[%d,%d +%d bit] "):format(offset, size, bits)
    end
    return ("[%d +%d] "):format(offset, size)
end

local function add_members(out, ctype, indent, base, sizes)
    for _, field in ipairs(ctype.fields) do
        local member = types.of(field.type)
        local offset = base + field.offset
        local record = element_of(member)
        if record.fields then
            -- Of an array, its first element.
            out[#out + 1] = indent .. size_words(offset, member.size, nil, sizes) .. c_name(member) .. " {"
            add_members(out, record, indent .. "  ", offset, sizes)
            out[#out + 1] = (indent .. "} " .. field.name):gsub("%s+$", "") .. ";"
        elseif field.bits then
            out[#out + 1] = ("%s%s%s %s:%d;"):format(indent, size_words(offset, field.bit, field.bits, sizes), c_name(member), field.name, field.bits)
        else
            out[#out + 1] = ("%s%s%s %s;"):format(indent, size_words(offset, member.size, nil, sizes), c_name(member), field.name)
        end
    end
end

local function add_type(out, ctype, name, sizes)
    if not ctype then
        return
    end
    local record = element_of(ctype)
    if record.fields then
        out[#out + 1] = "  " .. c_name(ctype) .. " {"
        add_members(out, record, "    ", 0, sizes)
        out[#out + 1] = "  } " .. name .. ";"
    else
        out[#out + 1] = ("  %s %s;"):format(c_name(ctype), name)
    end
end

-- The kernel's number of a map, which `bpftool map` shows.
local function map_id(fd)
    local file = io.open(("/proc/self/fdinfo/%d"):format(fd))
    local text = file and file:read("*a") or ""
    if file then
        file:close()
    end
    return tonumber(text:match("map_id:%s*(%d+)")) or 0
end

---The layout of a map's keys and values as C, in bcc's form.
---@param name string a map of the C text
---@param sizeinfo? boolean with offsets and sizes in bytes
---@return string lines
function methods:decode_table(name, sizeinfo)
    errors.arguments("decode_table", { "name", "string!", "sizeinfo", "boolean" }, name, sizeinfo)
    local map = self:get_table(name)
    local out = { ("Layout of BPF map %s (type %s, FD %d, ID %d):"):format(name, map.kind:upper(), map:get_fd(), map_id(map:get_fd())) }
    add_type(out, map.key_type, "key", sizeinfo)
    add_type(out, map.value_type, "value", sizeinfo)
    return table.concat(out, "\n")
end

-- ---------------------------------------------------------------- programs of user space

local function checked(of, name, sym_re)
    errors.arguments(of, { "name", "string!", "sym_re", "string!" }, name, sym_re)
    return native.user.functions(name, sym_re)
end

---The functions of a program or library whose names a regular expression matches from their start.
---@param name string a path, a program in PATH, or a library ("c")
---@param sym_re string a regular expression, from the name's start
---@return {[1]: string, [2]: ffi.cdata*}[] pairs of name and address (uint64_t) as `nm` shows it, in the file's order
function functions.get_user_functions_and_addresses(name, sym_re)
    local found = checked("get_user_functions_and_addresses", name, sym_re)
    for _, pair in ipairs(found) do
        pair[2] = require("bpflua.posix").tonumber64(pair[2])
    end
    return found
end

---The names of such functions.
---@param name string a path, a program in PATH, or a library ("c")
---@param sym_re string a regular expression, from the name's start
---@return string[]
function functions.get_user_functions(name, sym_re)
    local names = {}
    for i, pair in ipairs(checked("get_user_functions", name, sym_re)) do
        names[i] = pair[1]
    end
    return names
end

---The addresses of such functions, as `nm` shows them and `attach_uprobe{addr = …}` takes them.
---@param name string a path, a program in PATH, or a library ("c")
---@param sym_re string a regular expression, from the name's start
---@return ffi.cdata*[] uint64_t
function functions.get_user_addresses(name, sym_re)
    local addresses = {}
    for i, pair in ipairs(checked("get_user_addresses", name, sym_re)) do
        addresses[i] = require("bpflua.posix").tonumber64(pair[2])
    end
    return addresses
end

---The path of a library, as a process has it mapped or as the dynamic linker would find it.
---@param name string "c", "libc.so.6"
---@param pid? integer looks at what this process has mapped first
---@return string? path nil when there is none
function functions.find_library(name, pid)
    errors.arguments("find_library", { "name", "string!", "pid", "i32" }, name, pid)
    return native.user.find(name, pid)
end

---The path of a program in PATH.
---@param name string of a program in PATH
---@return string? path nil when there is none
function functions.find_exe(name)
    errors.arguments("find_exe", { "name", "string!" }, name)
    for folder in (os.getenv("PATH") or ""):gmatch("[^:]+") do
        local path = folder .. "/" .. name
        if ffi.C.bpflua_access(path, 1) == 0 then
            return path
        end
    end
end

-- ---------------------------------------------------------------- what is attached

-- Functions that are probed now, over all objects.
local function count_probes(...)
    local kinds, count = { ... }, 0
    for _, object in ipairs(open_objects) do
        for _, probe in ipairs(object:probes()) do
            for _, kind in ipairs(kinds) do
                count = count + (probe.kind == kind and probe.places or 0)
            end
        end
    end
    return count
end

---How many kprobes and kretprobes the script's objects have attached: one for each function of a regular expression.
---@return integer
function functions.num_open_kprobes()
    return count_probes("kprobe", "kretprobe")
end

---How many uprobes, uretprobes and USDT probes the script's objects have attached: one for each place in a program.
---@return integer
function functions.num_open_uprobes()
    return count_probes("uprobe", "uretprobe", "usdt")
end

---How many tracepoints the script's objects have attached.
---@return integer
function functions.num_open_tracepoints()
    return count_probes("tracepoint")
end

ffi.cdef('int bpflua_access(const char *path, int mode) __asm__("access");')

return M
