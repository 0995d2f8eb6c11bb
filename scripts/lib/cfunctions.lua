-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The host's C functions for what is hot: called through the FFI they cost a few nanoseconds and stay in compiled
-- traces. They come as addresses, so that the executable need not export symbols.

local ffi = require("ffi")
local native = require("bpflua.native").cfunctions

ffi.cdef(native.cdef)

local M = {}
for name, export in pairs(native.functions) do
    M[name] = ffi.cast(export.ctype, export.address)
end
return M
