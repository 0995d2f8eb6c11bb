-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Lines per event. `print(fmt:format(…))` makes a string of each line, which Lua enters into its table of strings and collects
-- later: that is four times the formatting. Here the text goes from a buffer to the file.

local errors = require("bpflua.errors")
local ffi = require("ffi")
local format = require("bpflua.format")
local native = require("bpflua.native")

local M = {}

ffi.cdef("size_t fwrite(const void *data, size_t size, size_t count, void *file);")

local C = ffi.C
local address = ffi.typeof("void *")
local FILE = getmetatable(io.stdout)
local EPIPE = 32

local buffer = require("string.buffer").new()
local put = format.into(buffer)

local function fail_to_write(file)
    local code = ffi.errno()
    C.clearerr(file)
    if code == EPIPE and file == io.stdout then
        errors.finish("broken pipe")
    end
    local to = file == io.stdout and "standard output" or "the file"
    errors.fail({ what = "cannot write to " .. to, why = native.kernel.errno_words(code), errno = code, kind = "machine" })
end

local function write(name, file, fmt, ...)
    if type(fmt) ~= "string" then
        errors.arguments(name, { "fmt", "string!" }, fmt)
    end
    put(fmt, ...)
    local text, length = buffer:ref()
    if C.fwrite(text, 1, length, file) ~= length or C.ferror(file) ~= 0 then
        fail_to_write(file)
    end
end

---Writes a line of text to standard output, as `io.write(fmt:format(…))` does, at a fraction of the cost: for handlers of events.
---The arguments may be values of the kernel's: 64-bit integers, `char[N]`.
---@param fmt string as of `string.format`
---@param ... any
function M.printf(fmt, ...)
    if ffi.cast(address, io.stdout) == nil then
        errors.fail({ what = "cannot write to standard output", why = "the script closed it" })
    end
    write("printf", io.stdout, fmt, ...)
end

---As `BPF.printf`, to an open file.
---@param file file* what `io.open` or `io.popen` gave
---@param fmt string as of `string.format`
---@param ... any
function M.fprintf(file, fmt, ...)
    if getmetatable(file) ~= FILE then
        errors.arguments("fprintf", { "file", "file!" }, file)
    elseif ffi.cast(address, file) == nil then
        errors.fail({ what = "argument `file` of `fprintf` is closed", why = "it must be open" })
    end
    write("fprintf", file, fmt, ...)
end

return M
