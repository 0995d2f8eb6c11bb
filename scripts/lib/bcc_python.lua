-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What scripts that were written for bcc's Python look for: its modules by their names (`require("bcc.utils")`), and functions
-- of its class that are nothing to do here.

local errors = require("bpflua.errors")
local native = require("bpflua.native")
local surface = require("bpflua.surface")
local tables = require("bpflua.tables")

local M = {}

-- ---------------------------------------------------------------- functions of the class

local functions = {}
M.functions = functions

-- Kernel headers by what words of a program call for them, as bcc's tools count on.
local HEADERS = {
    { "linux/time.h", "time" },
    { "linux/fs.h", "fs", "file" },
    { "linux/blkdev.h", "bio", "request" },
    { "linux/slab.h", "alloc" },
    { "linux/netdevice.h", "sk_buff", "net_device" },
}

---The `#include` lines that bcc would want for words of a C text. Here types come from BTF, and the lines change nothing.
---@param program_words string[] words of the C text
---@return string lines
function functions.generate_auto_includes(program_words)
    errors.arguments("generate_auto_includes", { "program_words", "table!" }, program_words)
    for i, word in ipairs(program_words) do
        errors.arguments("generate_auto_includes", { ("program_words[%d]"):format(i), "string!" }, word)
    end
    local text, lines = table.concat(program_words, "\n"), {}
    for _, header in ipairs(HEADERS) do
        for i = 2, #header do
            if text:find(header[i], 1, true) then
                lines[#lines + 1] = ("#include <%s>\n"):format(header[1])
                break
            end
        end
    end
    return table.concat(lines)
end

---Frees the compiler's memory, in bcc. Here it went with the compiler's process.
---@return integer zero
function functions.free_bcc_memory()
    return 0
end

local PREFIXES = { "sys_", "__x64_sys_", "__x32_compat_sys_", "__ia32_compat_sys_", "__arm64_sys_", "__s390x_sys_", "__s390_sys_", "__riscv_sys_" }

---The name that a system call's function has in this kernel, from the name it has in any: "__x64_sys_clone", "sys_clone". Other
---names stay as they are.
---@param name string
---@return string
function functions.fix_syscall_fnname(name)
    errors.arguments("fix_syscall_fnname", { "name", "string!" }, name)
    for _, prefix in ipairs(PREFIXES) do
        if name:sub(1, #prefix) == prefix then
            return native.kernel.syscall_function(name:sub(#prefix + 1))
        end
    end
    return name
end

-- ---------------------------------------------------------------- modules

-- What a file is called that a runtime has mapped: its program, or its library.
local RUNTIMES = {
    java = { "^java$", "^libjvm%.so" },
    node = { "^node$", "^nodejs$" },
    perl = { "^perl[%d%.]*$", "^libperl%.so" },
    php = { "^php[%d%.%-]*", "^libphp" },
    python = { "^python[%d%.]*$", "^libpython" },
    ruby = { "^ruby[%d%.]*$", "^libruby" },
}

local function mapped_files(pid)
    local names = {}
    local maps = io.open(("/proc/%d/maps"):format(pid))
    for line in maps and maps:lines() or function() end do
        names[line:match("/([^/]+)$") or ""] = true
    end
    if maps then
        maps:close()
    end
    return names
end

-- `bcc.utils`
---@class bpflua.bcc_utils
local utils = {}

-- The language of a process by its files; "c" when it has the C library and no other's runtime.
local function language_of(files)
    local has_c = false
    for name in pairs(files) do
        for language, patterns in pairs(RUNTIMES) do
            for _, pattern in ipairs(patterns) do
                if name:find(pattern) then
                    return language
                end
            end
        end
        has_c = has_c or name:find("^libc[.-]") ~= nil
    end
    return has_c and "c" or nil
end

---The language that a process runs, of those that are asked about.
---@param candidates string[] of java, node, perl, php, python, ruby, and c for what has no other runtime
---@param pid integer the process
---@return string? language
function utils.detect_language(candidates, pid)
    errors.arguments("detect_language", { "candidates", "table!", "pid", "i32!" }, candidates, pid)
    local found = language_of(mapped_files(pid))
    local asked = false
    for i, language in ipairs(candidates) do
        errors.arguments("detect_language", { ("candidates[%d]"):format(i), "string!" }, language)
        asked = asked or language == found
    end
    return asked and found or nil
end

---Writes a text and a newline at once.
---@param text any
---@param file? file* default: standard output
---@param nl? integer|boolean 0 or false: no newline
function utils.printb(text, file, nl)
    errors.arguments("printb", { "file", "userdata", "nl", "integer|boolean" }, file, nl)
    text = require("bpflua.format").text(text) .. ((nl == 0 or nl == false) and "" or "\n")
    if file == nil or file == io.stdout then
        io.write(text)
        io.flush()
    else
        file:write(text)
        file:flush()
    end
end

local STREQ = [[
static inline bool %s(char const *ignored, uintptr_t address)
{
    char wanted[] = %s, found[sizeof(wanted)] = {};
    %s(&found, sizeof(found), (void *)address);
    for (int i = 0; i < sizeof(wanted) - 1; i++)
        if (wanted[i] != found[i])
            return false;
    return true;
}
]]

---@class bpflua.StrcmpRewrite
local StrcmpRewrite = {}

---Replaces `STRCMP("text", pointer)` in a C expression by calls of functions that compare, and adds those functions.
---@param expr string
---@param bin_cmp boolean the text is a list of bytes: `{0x1, 0x2}` between the quotes
---@param is_user boolean pointers are of user space
---@param probe_user_list string[]|table<string, any> expressions that are
---@param streq_functions string the functions so far
---@param probeid integer the number of the next function
---@return {expr: string, streq_functions: string, probeid: integer}
function StrcmpRewrite.rewrite_expr(expr, bin_cmp, is_user, probe_user_list, streq_functions, probeid)
    errors.arguments("rewrite_expr", { "expr", "string!", "bin_cmp", "boolean!", "is_user", "boolean!", "probe_user_list", "table!",
        "streq_functions", "string!", "probeid", "natural!" }, expr, bin_cmp, is_user, probe_user_list, streq_functions, probeid)
    local of_user = {}
    for key, value in pairs(probe_user_list) do
        of_user[type(key) == "number" and value or key] = true
    end
    expr = expr:gsub('STRCMP%(("[^"]+"),(.-)%)', function(text, pointer)
        local name = ("streq_%d"):format(probeid)
        local read = (is_user or of_user[pointer:match("^%s*(.-)%s*$")]) and "bpf_probe_read_user" or "bpf_probe_read"
        streq_functions = streq_functions .. STREQ:format(name, bin_cmp and text:sub(2, -2) or text, read)
        probeid = probeid + 1
        return ("%s(%s,%s)"):format(name, text, pointer)
    end)
    return { expr = expr, streq_functions = streq_functions, probeid = probeid }
end

local function tcp(class)
    local module = { state2str = class.tcp_state_name, flags2str = class.tcp_flag_names, tcpstate = {} }
    for i, name in ipairs({ "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR" }) do
        module["TCPHDR_" .. name] = 2 ^ (i - 1)
    end
    for state = 1, 12 do
        module.tcpstate[state] = class.tcp_state_name(state)
    end
    return module
end

surface.add_functions("bpflua.bcc_utils", utils)
surface.add_functions("bpflua.StrcmpRewrite", StrcmpRewrite)

---Makes bcc's modules known to `require`.
---@param class table the functions of `BPF`
function M.install(class)
    local all_utils = tables.copy(utils, {
        StrcmpRewrite = StrcmpRewrite,
        get_online_cpus = class.get_online_cpus,
        get_possible_cpus = class.get_possible_cpus,
    })
    local modules = {
        ["bcc.utils"] = function() return all_utils end,
        ["bcc.containers"] = function() return { filter_by_containers = class.filter_by_containers } end,
        ["bcc.syscall"] = function() return { syscall_name = class.syscall_name } end,
        ["bcc.tcp"] = function() return tcp(class) end,
        ["bcc.exec"] = function() return require("bpflua.commands") end,
    }
    for name, make in pairs(modules) do
        package.preload[name] = make
    end
end

return M
