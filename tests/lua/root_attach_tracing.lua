-- SPDX-License-Identifier: Apache-2.0
-- Kernel functions by BTF, and security hooks. Where the kernel refuses them, its error is what is tested.

local t = require("harness")
local ffi = require("ffi")
local modules = require("help.modules")
ffi.cdef([[
    int getpgid(int pid);
    int getpid(void);
    int open(const char *path, int flags);
    int close(int fd);
    int prctl(int option, unsigned long, unsigned long, unsigned long, unsigned long);
]])
local EPERM = 1

local TEXT = [[
BPF_ARRAY(seen, u64, 8);
BPF_ARRAY(me, u32, 1);
static int is_us(void) {
    int zero = 0;
    u32 *pid = me.lookup(&zero);
    return pid && *pid == bpf_get_current_pid_tgid() >> 32;
}
static void note(int slot, u64 value) {
    if (is_us()) seen.update(&slot, &value);
}
KFUNC_PROBE(find_task_by_vpid, int nr) { note(0, nr); return 0; }
KRETFUNC_PROBE(find_task_by_vpid, int nr, struct task_struct *ret) { note(1, nr); note(2, ret == 0); return 0; }
SEC("?fexit") int later(u64 *ctx) { note(3, 33); return 0; }
]]

local ok, err = pcall(BPF, { text = TEXT })
if not ok then
    t.equal(err.errno_name, "EPERM")
    t.contains(err, "cannot load program `kfunc__vmlinux__find_task_by_vpid` (fentry/find_task_by_vpid): this kernel refuses programs of this kind")
    return t.skip("kernel functions by BTF", "this kernel refuses fentry programs")
end
local b = err
b.me[0] = ffi.C.getpid()

local function seen(slot)
    return tonumber(b.seen[slot])
end

local function kinds(object)
    local found = {}
    for _, probe in ipairs(object:probes()) do
        found[#found + 1] = probe.kind .. " " .. probe.target
    end
    table.sort(found)
    return table.concat(found, ", ")
end

t.test("entry and return, with arguments and result", function()
    t.equal(kinds(b), "fentry find_task_by_vpid, fexit find_task_by_vpid")
    ffi.C.getpgid(1)
    t.equal(seen(0), 1)
    t.equal(seen(1), 1)
    t.equal(seen(2), 0)
    ffi.C.getpgid(4194303)
    t.equal(seen(0), 4194303)
    t.equal(seen(2), 1)
end)

t.test("detached and attached again", function()
    b:detach_kfunc({ fn_name = "kfunc__vmlinux__find_task_by_vpid" })
    b:detach_kretfunc("find_task_by_vpid")
    t.equal(kinds(b), "")
    ffi.C.getpgid(1)
    t.equal(seen(0), 4194303)
    t.equal(b:attach_kfunc({ fn_name = "find_task_by_vpid" }), b)
    b:attach_kfunc({ fn_name = "kfunc__vmlinux__find_task_by_vpid" })
    t.equal(kinds(b), "fentry find_task_by_vpid")
    ffi.C.getpgid(1)
    t.equal(seen(0), 1)
    b:attach_kretfunc({ fn_name = "later", event = "find_task_by_vpid" })
    ffi.C.getpgid(1)
    t.equal(seen(3), 33)
end)

t.test("replacing a result", function()
    local b = BPF({
        text = TEXT:match("^.-(BPF_ARRAY%(me.-\n)static void") .. [[
KMOD_RET(security_file_open, struct file *file, int ret) {
    return is_us() && file->f_flags & 04000 ? -13 : 0;
}
]],
    })
    b.me[0] = ffi.C.getpid()
    t.equal(kinds(b), "fmod_ret security_file_open")
    local function open(flags)
        local fd = ffi.C.open("/proc/self/comm", flags)
        if fd < 0 then
            return ffi.errno()
        end
        ffi.C.close(fd)
        return 0
    end
    local NONBLOCK = 0x800
    t.equal(open(0), 0)
    t.equal(open(NONBLOCK), 13)
    b:detach_fmod_ret("kmod_ret__security_file_open")
    t.equal(open(NONBLOCK), 0)
    b:attach_fmod_ret({ fn_name = "security_file_open" })
    t.equal(open(NONBLOCK), 13)
    b:cleanup()
    t.equal(open(NONBLOCK), 0)
end)

t.test("a security hook forbids", function()
    local b = BPF({
        text = TEXT:match("^.-(BPF_ARRAY%(me.-\n)static void") .. [[
LSM_PROBE(task_prctl, int option, unsigned long arg2) {
    return is_us() && option == 15 && arg2 == 0 ? -1 : -38; // -ENOSYS: not ours
}
LSM_PROBE(file_open, struct file *file) {
    return is_us() && (file->f_flags & 04000) ? -1 : 0;
}
]],
    })
    t.equal(kinds(b), "lsm file_open, lsm task_prctl")
    b.me[0] = ffi.C.getpid()
    local NONBLOCK = 0x800
    t.equal(ffi.C.open("/proc/self/comm", NONBLOCK), -1)
    t.equal(ffi.errno(), EPERM)
    local fd = ffi.C.open("/proc/self/comm", 0)
    t.equal(fd >= 0, true)
    ffi.C.close(fd)
    t.equal(ffi.C.prctl(15, 0, 0, 0, 0), -1)
    t.equal(ffi.errno(), EPERM)
    b:detach_lsm({ fn_name = "file_open" })
    fd = ffi.C.open("/proc/self/comm", NONBLOCK)
    t.equal(fd >= 0, true)
    ffi.C.close(fd)
    b:attach_lsm({ fn_name = "lsm__file_open" })
    t.equal(ffi.C.open("/proc/self/comm", NONBLOCK), -1)
    b:cleanup()
end)

t.test_unless(not modules.has_btf("overlay") and "no function of a kernel module to trace", "a kernel module's function", function()
    local b = BPF({
        text = TEXT:match("^.-(BPF_ARRAY%(seen.-\n)KFUNC") .. [[
MODULE_KFUNC_PROBE(overlay, ovl_open, struct inode *inode, struct file *file) { note(0, file->f_flags & 3); return 0; }
MODULE_KRETFUNC_PROBE(overlay, ovl_open, struct inode *inode, struct file *file, int ret) { note(1, ret + 1); return 0; }
]],
    })
    t.equal(kinds(b), "fentry overlay:ovl_open, fexit overlay:ovl_open")
    b.me[0] = ffi.C.getpid()
    io.open("/etc/passwd", "r+"):close()
    t.equal(tonumber(b.seen[0]), 2)
    t.equal(tonumber(b.seen[1]), 1)
    b:cleanup()
end)

t.test("what cannot be attached", function()
    local function fails(text)
        return t.fails(BPF, { text = text })
    end
    local none = fails("KFUNC_PROBE(vfs_raed) { return 0; }")
    t.contains(none, "cannot load `kfunc__vmlinux__vfs_raed`: no function `vfs_raed` in this kernel's BTF (ENOENT)")
    t.contains(none, "hint: similar: vfs_read")
    t.contains(fails("LSM_PROBE(file_opne) { return 0; }"), "no security hook `file_opne`")
    t.contains(fails("LSM_PROBE(file_opne) { return 0; }"), "similar: file_open")
    t.contains(fails("MODULE_KFUNC_PROBE(no_such, f) { return 0; }"), "kernel module `no_such` is not loaded")
    local fixed = fails("KMOD_RET(vfs_read) { return 0; }")
    t.contains(fixed, "its target's result cannot be replaced")
    t.contains(t.fails(b.attach_lsm, b, { fn_name = "kfunc__vmlinux__find_task_by_vpid" }), "it is a function for fentry, not for lsm")
    t.contains(t.fails(b.attach_kfunc, b, { fn_name = "find_tsak" }), "no function `find_tsak`")
    t.contains(t.fails(b.detach_lsm, b, "later"), "cannot detach lsm `later`: it is not attached")
end)
