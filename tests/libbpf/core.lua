-- SPDX-License-Identifier: Apache-2.0
local ffi = require("ffi")
ffi.cdef([[
struct scheduling { int priority; };
int sched_setscheduler(int pid, int policy, const struct scheduling *how);
]])
local d = require("driver")
local KILL = jit.arch == "x64" and 62 or 129
local b = d.open("core", { constants = { targ_tgid = d.C.getpid(), targ_call = KILL } })
d.attached()
local SCHED_RESET_ON_FORK = 0x40000000
local function look(reset)
    d.sys("sched_setscheduler", ffi.C.sched_setscheduler(0, reset and SCHED_RESET_ON_FORK or 0, ffi.new("struct scheduling")))
    d.C.kill(d.C.getpid(), 0)
end
look(true)
local v = b.vars
local function status(field, pid)
    return io.open(("/proc/%s/status"):format(pid or "self")):read("*a"):match(field .. ":%s*(%S+)")
end
local parent = tonumber(status("PPid"))
for _, name in ipairs({ "parent", "parent_again", "parent_into" }) do
    d.same(name, v[name], parent)
end
d.same("comm", v.comm, status("Name"))
d.same("comm_into", v.comm_into, status("Name"))
d.same("parent_comm", v.parent_comm, status("Name", parent))
d.same("pid_cast", v.pid_cast, d.C.getpid())
d.same("one of the two names of a member", v.has_old_state + v.has_new_state, 1)
d.same("the state of who runs", v.state, 0)
d.same("comm_size", v.comm_size, 16)
d.same("tgid_offset", v.tgid_offset > 0, true)
d.same("type_exists", v.type_exists, 1)
d.same("type_missing", v.type_missing, 1)
d.same("has_nothing", v.has_nothing, 0)
d.same("type_matches", v.type_matches, v.has_new_state)
d.same("type_size", v.type_size > 1000, true)
d.same("enum_exists", v.enum_exists, 1)
d.same("enum_missing", v.enum_missing, 1)
d.same("enum_value", v.enum_value, 1)
d.same("reset_on_fork", v.reset_on_fork, 1)
d.same("reset_on_fork_direct", v.reset_on_fork_direct, 1)
look(false)
d.same("reset_on_fork, not set", v.reset_on_fork, 0)
d.same("reset_on_fork_direct, not set", v.reset_on_fork_direct, 0)
local major, minor, patch = io.open("/proc/sys/kernel/osrelease"):read("*l"):match("(%d+)%.(%d+)%.?(%d*)")
d.same("the kernel's version", bit.rshift(v.kernel_version, 8), tonumber(major) * 256 + tonumber(minor))
d.same("CONFIG_HZ", v.hz >= 100 and v.hz <= 1000, true)
d.same("CONFIG_BPF_SYSCALL", v.has_bpf, 1)
d.same("an option that is not there", v.never_there, 0)
d.checked("members by chain, string and bit, flavours, sizes, enumerators, configuration")
