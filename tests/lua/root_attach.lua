-- SPDX-License-Identifier: Apache-2.0
-- Attaching and detaching from Lua: options to probes, and the errors of both.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef("int getpid(void); int atoi(const char *);")

local b = BPF({ object = "../fixtures/bpf/probes.o" })

-- Slots of `hits`, by the variant of `f` that ran.
local function hits(slot)
    return tonumber(b.hits[slot])
end

local function probe(kind, target)
    for _, one in ipairs(b:probes()) do
        if one.kind == kind and (not target or one.target:find(target, 1, true)) then
            return one
        end
    end
end

t.test("what attaches by its name is attached", function()
    t.equal(probe("tracepoint", "sys_enter_getpid").mechanism, "tracepoint")
    t.equal(probe("raw_tracepoint").target, "sys_enter")
end)

t.test("uprobes by library and symbol", function()
    t.equal(b:attach_uprobe({ name = "c", sym = "atoi", fn_name = "f", pid = ffi.C.getpid() }), b)
    local before = hits(1)
    ffi.C.atoi("1")
    t.equal(hits(1), before + 1)
    t.equal(BPF.num_open_uprobes(), 1)
    b:detach_uprobe({ name = "c", sym = "atoi", pid = ffi.C.getpid() })
    ffi.C.atoi("1")
    t.equal(hits(1), before + 1)
    t.equal(probe("uprobe"), nil)
end)

t.test("uretprobes, by bcc-lua's option too", function()
    b:attach_uretprobe({ name = "c", sym = "atoi", fn_name = "plain" })
    t.equal(probe("uretprobe").fn_name, "plain")
    b:detach_uretprobe({ name = "c", sym = "atoi" })
    b:attach_uprobe({ name = "c", sym = "atoi", fn_name = "plain", retprobe = true })
    t.equal(probe("uretprobe").fn_name, "plain")
    b:detach_uprobe({ name = "c", sym = "atoi", retprobe = true })
    t.equal(probe("uretprobe"), nil)
end)

t.test("tracepoints", function()
    b:detach_tracepoint({ tp = "syscalls:sys_enter_getpid" })
    t.equal(probe("tracepoint"), nil)
    b:attach_tracepoint({ tp = "syscalls:sys_enter_getpid", fn_name = "tracepoint__syscalls__sys_enter_getpid" })
    t.equal(probe("tracepoint").target, "syscalls:sys_enter_getpid")
    b:detach_raw_tracepoint({ tp = "sys_enter" })
    t.equal(probe("raw_tracepoint"), nil)
    b:attach_raw_tracepoint({ tp = "sys_enter", fn_name = "raw_tracepoint__sys_enter" })
    t.equal(probe("raw_tracepoint").target, "sys_enter")
end)

t.test("a system call, by what this kernel has for it", function()
    local name = b:get_syscall_fnname("getpid")
    t.contains(name, "getpid")
    b:attach_kprobe({ event = name, fn_name = "f", mechanism = "sys_enter" })
    local found = probe("kprobe")
    t.equal(found.mechanism, "sys_enter")
    b:detach_kprobe({ event = name, fn_name = "f" })
    t.equal(probe("kprobe"), nil)
    b:attach_kretprobe({ event = name, fn_name = "f", mechanism = "sys_exit" })
    t.equal(probe("kretprobe").fn_name, "f")
    b:detach_kretprobe({ event = name })
end)

t.test("what cannot be attached", function()
    local function fails(method, options)
        return t.fails(function() b[method](b, options) end)
    end
    t.contains(fails("attach_kprobe", { fn_name = "f" }), "needs the option `event` or `event_re`")
    t.contains(fails("attach_kprobe", { event = "a", event_re = "b", fn_name = "f" }), "not both")
    t.contains(fails("attach_kprobe", { event = "vfs_read" }), "`attach_kprobe` needs the option `fn_name`")
    t.contains(fails("attach_kprobe", { event = "vfs_raed", fn_name = "f" }), "vfs_read")
    t.contains(fails("attach_kprobe", { event = "vfs_read", fn_name = "f", mechanism = "magic" }), "no mechanism `magic`")
    t.contains(fails("attach_uprobe", { name = "c", fn_name = "f" }), "needs the option `sym`, `sym_re` or `addr`")
    t.contains(fails("attach_uprobe", { name = "c", sym = "atoj", fn_name = "f" }), "atoj")
    t.contains(fails("attach_tracepoint", { tp = "syscalls:sys_enter_getpit", fn_name = "f" }), "sys_enter_getpid")
    t.contains(fails("detach_kprobe", { event = "vfs_read" }), "vfs_read")
    t.contains(fails("attach_raw_tracepoint", {}), "`attach_raw_tracepoint` needs the option `fn_name` and the option `tp`")
    t.contains(fails("attach_tracepoint", {}), "`attach_tracepoint` needs the option `fn_name`")
    t.contains(fails("attach_tracepoint", { fn_name = "f" }), "needs the option `tp` or the option `tp_re`: none is given")
end)

t.test("functions are loaded without being attached", function()
    local loaded = b:load_func("plain")
    t.equal(loaded.name, "plain")
    t.equal(loaded.fd > 2, true)
    t.equal(b:load_func("plain"), loaded)
end)
