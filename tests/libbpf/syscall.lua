-- SPDX-License-Identifier: Apache-2.0
local ffi = require("ffi")
local d = require("driver")
local b = d.open("syscall")
ffi.cdef("struct make_map { uint32_t max_entries, key; uint64_t value; int map_fd, result; };")
local run = b:test_run({ fn_name = "make_map", ctx_in = ffi.new("struct make_map", { 77, 5, 500 }) })
d.same("what it returned", run.retval, 0)
local request = ffi.cast("const struct make_map *", run.ctx_out)[0]
d.same("the result of filling it", request.result, 0)
local facts = io.open(("/proc/self/fdinfo/%d"):format(request.map_fd)):read("*a")
d.same("the map's size", facts:match("max_entries:%s*(%d+)"), "77")
d.attached()
d.checked("a program made a map of the size it was told and filled it")
