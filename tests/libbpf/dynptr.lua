-- SPDX-License-Identifier: Apache-2.0
local ffi = require("ffi")
local d = require("driver")
local b = d.open("dynptr")
local sizes, last = {}, nil
b.events:open_ring_buffer(function(_, event, size)
    sizes[#sizes + 1] = size
    last = ffi.string(event, size)
end)
for _, length in ipairs({ 100, 300 }) do
    b:test_run({ fn_name = "copies", data_in = ("\0"):rep(14 + length) })
end
d.attached()
b:ring_buffer_consume()
d.same("records", #sizes, 2)
d.same("the first record's size", sizes[1], 100)
d.same("the second record's size", sizes[2], 300)
d.same("the record's number", last:sub(1, 4), "\44\1\0\0")
d.same("the record's end", last:sub(-4), "end\0")
d.same("what was read", b.vars.got, 0x37363534)
d.same("what was written", b.vars.area, "0123456789XYZdef")
d.same("the result of writing", b.vars.written, 0LL)
d.same("the result of writing too far", b.vars.too_far, -7LL)
d.same("what is in place", b.vars.in_place, 0x33323130)
d.checked("records of a computed size, reads, writes and slices of memory")
