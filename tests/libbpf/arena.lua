-- SPDX-License-Identifier: Apache-2.0
local ffi = require("ffi")
local d = require("driver")
ffi.cdef("void *mmap(void *address, size_t size, int protection, int flags, int fd, long offset);")
ffi.cdef("struct element { struct element *next; uint64_t value; };")
local b = d.open("arena")
d.same("building the list", b:test_run({ fn_name = "build" }).retval, 0)
d.attached()
d.same("the sum over the list", b.vars.sum, 285ULL)
-- The program's pointers are good here, too, once the arena is where they point: the list is in its first page.
local PAGES, READ_WRITE, SHARED = 16, 3, 1
local start = ffi.cast("void *", b.vars.address)
local memory = ffi.C.mmap(start, PAGES * 4096, READ_WRITE, SHARED, b.arena.fd, 0)
d.same("where the arena is", memory == start, true)
local sum, at = 0ULL, ffi.cast("struct element *", b.vars.address)
while at ~= nil do
    sum = sum + at.value
    at = at.next
end
d.same("the sum over the list as this process sees it", sum, 285ULL)
d.checked("a list in an arena was built and followed, by the program and by its host")
