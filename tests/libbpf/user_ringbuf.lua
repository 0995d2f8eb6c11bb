-- SPDX-License-Identifier: Apache-2.0
local ffi = require("ffi")
local d = require("driver")
ffi.cdef("void *mmap(void *address, size_t size, int protection, int flags, int fd, long offset);")
ffi.cdef("struct request { uint32_t length, pad, kind, value; };")
local b = d.open("user_ringbuf")
d.attached()
-- A page with the consumer's place, one with the producer's, then the records.
local READ, READ_WRITE, SHARED, PAGE = 1, 3, 1, 4096
local producer = ffi.C.mmap(nil, PAGE + 2 * 4096, READ_WRITE, SHARED, b.requests.fd, PAGE)
assert(ffi.cast("intptr_t", producer) ~= -1, "the ring buffer's memory")
local place = ffi.cast("volatile uint64_t *", producer)
local records = ffi.cast("uint8_t *", producer) + PAGE
for i = 1, 10 do
    local record = ffi.cast("struct request *", records + tonumber(place[0]))
    record.length, record.kind, record.value = 8, i % 2, i
    place[0] = place[0] + 16
end
d.C.kill(d.C.getpid(), 0)
d.same("records drained", b.vars.drained, 10LL)
d.same("the sum of those of one kind", b.vars.sum, 25ULL)
d.same("records of the other", b.vars.others, 5ULL)
d.checked("ten records of the host's, taken by a program")
