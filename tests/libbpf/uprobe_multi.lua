-- SPDX-License-Identifier: Apache-2.0
local ffi = require("ffi")
ffi.cdef("int getpgid(int pid); int getppid(void);")
local d = require("driver")
local b = d.open("uprobe_multi", { constants = { targ_tgid = d.C.getpid() } })
d.attached()
for _ = 1, 3 do
    ffi.C.getppid()
end
for _ = 1, 5 do
    ffi.C.getpgid(0)
end
if b.calls[0] then
    d.lacks("this kernel has no bpf_get_func_ip for uprobes")
end
local function calls(fn)
    local count = b.calls[ffi.cast("uint64_t", ffi.cast("void *", fn))]
    return tostring(count)
end
d.same("calls of the one", calls(ffi.C.getppid), "3ULL")
d.same("calls of the other", calls(ffi.C.getpgid), "5ULL")
d.checked("calls of two functions under one pattern, by address")
