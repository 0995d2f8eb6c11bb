-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Addresses and names: `BPF.ksym`, `BPF.sym`, `BPF.SymbolCache` and their kin.

local ffi = require("ffi")
local C = require("bpflua.cfunctions")
local addresses = require("bpflua.addresses")
local errors = require("bpflua.errors")
local native = require("bpflua.native").symbolize

local M = {}

local UNKNOWN = "[unknown]"
-- What the host writes a name's place into.
local found = ffi.new("bpflua_name")
local handle = native.handle()

-- The bare name of a function, which handlers of events ask for, without leaving compiled code; nil when there is none. Without a
-- process, of the kernel's.
local function bare_name(of, addr, process, demangle)
    local address, is_found = addresses.address(of, addr), 0
    if process then
        is_found = C.symbol_of_process(handle, process, address, demangle and 1 or 0, found)
    else
        is_found = C.symbol_of_kernel(address, found)
    end
    if is_found ~= 0 then
        return ffi.string(found.text, found.len)
    end
end

-- nil stands for the kernel.
local function process_number(of, pid)
    local number = pid
    if type(pid) ~= "number" or pid % 1 ~= 0 or pid > 0x7fffffff then
        number = errors.number(of, "pid", pid, "i32")
    end
    return number >= 0 and number or nil
end

local BUILD_ID_VALID = 1

local function frame_text(frame, pid, style)
    if frame.status ~= BUILD_ID_VALID then
        return M.sym(frame.ip, pid or -1, style.show_module, style.show_offset, style.demangle)
    end
    local hi, lo = addresses.halves("sym", frame.offset)
    return native.build_id_text({
        pid = pid,
        id = ffi.string(frame.build_id, ffi.sizeof(frame.build_id)),
        hi = hi,
        lo = lo,
        show_module = style.show_module,
        show_offset = style.show_offset,
        demangle = style.demangle,
    })
end

local SYM_OPTIONS = { addr = "any!", pid = "i32|cdata!", show_module = "boolean", show_offset = "boolean", demangle = "boolean" }
local KSYM_OPTIONS = { addr = "any!", show_module = "boolean", show_offset = "boolean" }
local STYLE_OPTIONS = { show_module = "boolean", show_offset = "boolean", demangle = "boolean" }

---The function that an address of a process lies in, as text: `name`, `name+0x12 [module]`, `[unknown]`.
---What cannot be looked at (another user's process, hidden kernel addresses) is said once on standard error.
---A process that was asked about before it ended stays known; of one that is gone at the first question nothing is, but frames of a
---stack map with build IDs have their names all the same, once `BPF.add_module` knows the file.
---Takes its options in order as bcc does, or as a table: `BPF.sym(addr, pid, {show_offset = true})`,
---`BPF.sym{addr = addr, pid = pid}`.
---@param addr number|string|ffi.cdata* also a frame of a stack map with build IDs
---@param pid integer|ffi.cdata* below 0: the kernel
---@param show_module? boolean|{show_module: boolean?, show_offset: boolean?, demangle: boolean?} the module's name in brackets (default false)
---@param show_offset? boolean the distance from the function's start (default false)
---@param demangle? boolean names of C++ and Rust as they were written (default true)
---@return string
function M.sym(addr, pid, show_module, show_offset, demangle)
    local style
    if type(addr) == "table" then
        style = errors.options("sym", addr, SYM_OPTIONS)
        addr, pid = style.addr, style.pid
    elseif type(show_module) == "table" then
        style = errors.options("sym", show_module, STYLE_OPTIONS)
    end
    if style then
        show_module, show_offset, demangle = style.show_module, style.show_offset, style.demangle
    end
    show_module, show_offset, demangle = show_module and true or false, show_offset and true or false, demangle ~= false
    local frame = addresses.build_id_frame(addr)
    if frame then
        local number = pid and process_number("sym", pid)
        return frame_text(frame, number, { show_module = show_module, show_offset = show_offset, demangle = demangle })
    end
    local process = process_number("sym", pid)
    local name = not show_module and not show_offset and bare_name("sym", addr, process, demangle)
    if name then
        return name
    end
    local hi, lo = addresses.halves("sym", addr)
    return native.text(process, hi, lo, show_module, show_offset, demangle)
end

---The kernel function that an address lies in, as text: `name`, `name+0x12 [kernel]`, `[unknown]`.
---@param addr number|string|ffi.cdata* a number, hexadecimal digits, or 64-bit cdata
---@param show_module? boolean|{show_module: boolean?, show_offset: boolean?} `[kernel]` or the kernel module (default false)
---@param show_offset? boolean the distance from the function's start (default false)
---@return string
function M.ksym(addr, show_module, show_offset)
    if type(addr) == "table" then
        local options = errors.options("ksym", addr, KSYM_OPTIONS)
        addr, show_module, show_offset = options.addr, options.show_module, options.show_offset
    elseif type(show_module) == "table" then
        local options = errors.options("ksym", show_module, { show_module = "boolean", show_offset = "boolean" })
        show_module, show_offset = options.show_module, options.show_offset
    end
    local name = not show_module and not show_offset and bare_name("ksym", addr)
    if name then
        return name
    end
    local hi, lo = addresses.halves("ksym", addr)
    return native.text(nil, hi, lo, show_module and true or false, show_offset and true or false, false)
end

local function text_argument(of, which, value)
    if type(value) ~= "string" then
        errors.fail({ what = ("cannot call `%s`"):format(of), why = ("%s is a %s, not text"):format(which, errors.type_name(value)) })
    end
    return value
end

---The address of a kernel symbol. That the kernel hides its addresses is said once on standard error.
---@param name string of a function or variable of the kernel
---@return ffi.cdata*|integer address uint64_t; 0 when the kernel hides it; -1 when there is none of that name
function M.ksymname(name)
    return addresses.join(native.address(nil, nil, text_argument("ksymname", "the name", name)))
end

---Names a file for frames of stack maps with build IDs (`BPF_STACK_TRACE_BUILDID`), whose processes may be gone.
---@param path string a program or a library
function M.add_module(path)
    native.add_module(text_argument("add_module", "the path", path))
end

---@class bpflua.SymbolCache
---@field pid integer|false the process; false for the kernel
local SymbolCache = {}

---The function that an address lies in.
---@param addr number|string|ffi.cdata* a number, hexadecimal digits, or 64-bit cdata
---@param demangle? boolean names of C++ and Rust as they were written (default true)
---@return string name `[unknown]` when there is none
---@return number offset from the function's start, in bytes; 0 when there is no name
---@return string? module `kernel`, a kernel module, or the path of a file as the process sees it
---@return string? why there is no name, in words
function SymbolCache:resolve(addr, demangle)
    local hi, lo = addresses.halves("resolve", addr)
    local name, offset, module, why = native.resolve(self._process or nil, hi, lo, demangle ~= false)
    return name or UNKNOWN, offset or 0, module, why
end

---Where an address is in the source code, if debug information tells; the process's files only.
---@param addr number|string|ffi.cdata* as of `resolve`
---@return string? file
---@return integer? line from 1; 0 when unknown
---@return integer? column from 1; 0 when unknown
function SymbolCache:line(addr)
    local hi, lo = addresses.halves("line", addr)
    if self._process then
        return native.line(self._process, hi, lo)
    end
end

---The address of a function by its name, as it is in the file (not demangled); -1 when there is none.
---@param module string? a mapped file's path or name, or a kernel module; nil: any. May be left out: `resolve_name(name)`
---@param name string of a function
---@return ffi.cdata*|integer address uint64_t, or -1
function SymbolCache:resolve_name(module, name)
    if name == nil then
        module, name = nil, module
    end
    if module ~= nil then
        text_argument("resolve_name", "the module", module)
    end
    return addresses.join(native.address(self._process or nil, module, text_argument("resolve_name", "the name", name)))
end

---Looks anew: at what the process has mapped and what its JIT compiler told, or at the kernel's symbols. Addresses that
---stay unknown are looked for anew by themselves, now and then.
---@return boolean there false when the process is gone; then what was known is kept
function SymbolCache:refresh()
    return native.refresh(self._process or nil)
end

local Instance = {
    __index = function(_, name)
        local method = SymbolCache[name]
        if method == nil then
            errors.unknown(("a symbol cache has no method `%s`"):format(tostring(name)), name, SymbolCache, "methods of a symbol cache")
        end
        return method
    end,
    __tostring = function(self)
        return self.pid and ("symbols of process %d"):format(self.pid) or "symbols of the kernel"
    end,
}

require("bpflua.surface").add_methods("bpflua.SymbolCache", SymbolCache, {
    noun = "symbol cache",
    is = function(value)
        return getmetatable(value) == Instance
    end,
})

---The names in a process, which stay known when it is gone; without a process, those of the kernel.
---Raises when there is no such process, or it may not be looked at.
---@param pid? integer|ffi.cdata*|{pid?: integer|ffi.cdata*} nil or below 0: the kernel
---@return bpflua.SymbolCache
function M.SymbolCache(pid)
    if type(pid) == "table" then
        pid = errors.options("SymbolCache", pid, { pid = "i32|cdata" }).pid
    end
    local number = pid ~= nil and process_number("SymbolCache", pid) or nil
    return setmetatable({ pid = number or false, _process = number and native.open(number) or false }, Instance)
end

return M
