-- SPDX-License-Identifier: Apache-2.0
-- Functions of kernel modules by BTF: their arguments and results, against what the system calls behind them were given.

local t = require("harness")
local ffi = require("ffi")
local modules = require("help.modules")
local net = require("help.sockets")
ffi.cdef([[
int getpid(void);
int open(const char *path, int flags, int mode);
int64_t lseek(int fd, int64_t offset, int whence);
ssize_t pread(int fd, void *data, size_t size, int64_t offset);
ssize_t write(int fd, const void *data, size_t size);
int ioctl(int fd, unsigned long request, ...);
ssize_t sendto(int fd, const void *data, size_t size, int flags, const void *address, unsigned length);
int unlink(const char *path);
]])

local C, PID = ffi.C, ffi.C.getpid()
local RDWR, CREAT = 2, 64

local refused
do
    local ok, err = pcall(BPF, { text = "KFUNC_PROBE(vfs_read) { return 0; }" })
    refused = not ok and tostring(err):match("[^\n]*")
end
if refused then
    return t.skip("functions of kernel modules", refused)
end
modules.load("loop", "tun", "veth", "dummy")

local HEAD = [[
BPF_ARRAY(got, u64, 32);
#define SET(n, v) do { int k_ = (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define MINE (bpf_get_current_pid_tgid() >> 32 == PID)
]]

local function open(text)
    return BPF({ text = HEAD .. text, cflags = { "-DPID=" .. PID } })
end

-- The first slots as signed numbers.
local function values(b, count)
    local found = {}
    for i = 0, count - 1 do
        found[#found + 1] = tostring(ffi.cast("int64_t", b.got[i])):gsub("LL$", "")
    end
    return table.concat(found, " ")
end

local function kinds(b)
    local found = {}
    for _, probe in ipairs(b:probes()) do
        found[#found + 1] = probe.kind .. " " .. probe.target
    end
    table.sort(found)
    return table.concat(found, ", ")
end

local function of_command(command)
    local pipe = assert(io.popen(command))
    local text = pipe:read("*l")
    pipe:close()
    return text
end

-- A test for each module, or why not.
local function of_module(name, what, body)
    t.test_unless(not modules.has_btf(name) and ("no kernel module `%s` with types"):format(name), what, body)
end

local function file_of(path, flags)
    local fd = C.open(path, flags, 384)
    assert(fd >= 0, "cannot open " .. path .. ": errno " .. ffi.errno())
    return fd
end

of_module("overlay", "a file system's: pointers followed, 64-bit numbers", function()
    local path = "/root/bpflua-modules-" .. PID
    local fd = file_of(path, RDWR + CREAT)
    t.equal(tonumber(C.write(fd, "ten bytes.", 10)), 10)
    local inode = of_command("stat -c %i " .. path)
    local b = open([[
        MODULE_KFUNC_PROBE(overlay, ovl_llseek, struct file *file, loff_t offset, int whence) {
            if (MINE) { SET(0, offset); SET(1, whence); SET(2, file->f_inode->i_ino); }
            return 0;
        }
        MODULE_KRETFUNC_PROBE(overlay, ovl_llseek, struct file *file, loff_t offset, int whence, loff_t ret) {
            if (MINE) { SET(3, ret); SET(4, offset); }
            return 0;
        }
        MODULE_KRETFUNC_PROBE(overlay, ovl_read_iter, struct kiocb *iocb, struct iov_iter *iter, ssize_t ret) {
            if (MINE) { SET(5, ret); SET(6, iocb->ki_filp->f_inode->i_ino); SET(7, iocb->ki_filp->f_path.dentry->d_name.name[0]); }
            return 0;
        }]])
    t.equal(kinds(b), "fentry overlay:ovl_llseek, fexit overlay:ovl_llseek, fexit overlay:ovl_read_iter")
    local far = 0x123456789LL
    t.equal(C.lseek(fd, far, 0), far)
    local buffer = ffi.new("char[16]")
    t.equal(tonumber(C.pread(fd, buffer, 16, 3)), 7)
    t.equal(values(b, 8), ("%d 0 %s %d %d 7 %s %d"):format(0x123456789, inode, 0x123456789, 0x123456789, inode, ("b"):byte()))
    C.lseek(fd, -4, 1)
    t.equal(values(b, 5), ("-4 1 %s %d -4"):format(inode, 0x123456789 - 4))
    t.equal(C.lseek(fd, -1, 0), -1LL)
    t.equal(values(b, 5), ("-1 0 %s -22 -1"):format(inode))
    b:cleanup()
    C.close(fd)
    C.unlink(path)
end)

of_module("loop", "a device's: numbers of every size, a negative result; bcc's names of functions", function()
    local b = open([[
        struct loop_device { int lo_number; } __attribute__((preserve_access_index));
        int kfunc__loop__loop_control_ioctl(void *ctx, struct file *file, unsigned int cmd, unsigned long parm) {
            if (MINE) { SET(0, cmd); SET(1, parm); SET(2, file->f_flags & 3); SET(8, bpf_get_func_arg_cnt(ctx)); }
            return 0;
        }
        int kretfunc__loop__loop_control_ioctl(void *ctx, struct file *file, unsigned int cmd, unsigned long parm, long ret) {
            if (MINE) { SET(3, ret); SET(4, parm); }
            return 0;
        }
        MODULE_KFUNC_PROBE(loop, lo_ioctl, struct block_device *bdev, unsigned int mode, unsigned int cmd, unsigned long arg) {
            if (MINE) { SET(5, cmd); SET(6, arg); SET(7, ((struct loop_device *)bdev->bd_disk->private_data)->lo_number); }
            return 0;
        }]])
    t.equal(kinds(b), "fentry loop:lo_ioctl, fentry loop:loop_control_ioctl, fexit loop:loop_control_ioctl")
    local control = file_of("/dev/loop-control", RDWR)
    local REMOVE, GET_FREE, CLR_FD = 0x4c81, 0x4c82, 0x4c01
    t.equal(C.ioctl(control, REMOVE, ffi.cast("long", 0x7000000012LL)), -1)
    t.equal(ffi.errno(), 19)
    t.equal(values(b, 5), ("%d %d 2 -19 %d"):format(REMOVE, 0x7000000012, 0x7000000012))
    t.equal(b.got[8], 3ULL)
    local free = C.ioctl(control, GET_FREE)
    assert(free >= 0, "no free loop device")
    t.equal(ffi.cast("int64_t", b.got[3]), ffi.cast("int64_t", free))
    local device = file_of("/dev/loop" .. free, 0)
    t.equal(C.ioctl(device, CLR_FD, ffi.cast("long", -7LL)), -1)
    t.equal(values(b, 8):match("%S+ %S+ %S+$"), ("%d -7 %d"):format(CLR_FD, free))
    b:detach_kfunc("loop__lo_ioctl")
    C.ioctl(device, CLR_FD, ffi.cast("long", 8LL))
    t.equal(ffi.cast("int64_t", b.got[6]), -7LL)
    C.close(device)
    C.close(control)
    b:cleanup()
end)

of_module("tun", "a character device's", function()
    local b = open([[
        MODULE_KFUNC_PROBE(tun, tun_chr_open, struct inode *inode, struct file *file) {
            if (MINE) { SET(0, inode->i_rdev); SET(1, inode == file->f_inode); }
            return 0;
        }
        MODULE_KRETFUNC_PROBE(tun, tun_chr_ioctl, struct file *file, unsigned int cmd, unsigned long arg, long ret) {
            if (MINE) { SET(2, cmd); SET(3, *(u32 *)arg); SET(4, ret); }
            return 0;
        }]])
    -- Misc devices: 10:200 as the kernel writes it, major << 20 | minor.
    os.execute("mkdir -p /dev/net; test -c /dev/net/tun || mknod /dev/net/tun c 10 200")
    local fd = file_of("/dev/net/tun", RDWR)
    local TUNGETFEATURES, features = 0x800454cf, ffi.new("unsigned[1]")
    t.equal(C.ioctl(fd, TUNGETFEATURES, features), 0)
    t.equal(values(b, 5), ("%d 1 %d %d 0"):format(10 * 2 ^ 20 + 200, TUNGETFEATURES, features[0]))
    t.equal(C.ioctl(fd, 0x54ff, features), -1)
    t.equal(ffi.cast("int64_t", b.got[4]), -ffi.cast("int64_t", ffi.errno()))
    C.close(fd)
    b:cleanup()
end)

of_module("veth", "a network device's: packets", function()
    os.execute("ip link add vmod0 type veth peer name vmod1 && ip link set vmod1 up && ip addr add 10.199.0.1/24 dev vmod0 && ip link set vmod0 up")
    os.execute("ip neigh replace 10.199.0.2 lladdr 02:00:00:00:00:02 dev vmod0")
    local program = [[
        MODULE_KFUNC_PROBE(veth, veth_xmit, struct sk_buff *skb, struct net_device *dev) {
            if (MINE && skb->len == 14 + 20 + 8 + 99) { SET(0, dev->name[4]); SET(1, dev->ifindex); SET(2, dev == skb->dev); }
            return 0;
        }
        MODULE_KRETFUNC_PROBE(veth, veth_xmit, struct sk_buff *skb, struct net_device *dev, int ret) {
            if (MINE) { SET(3, ret + 1); SET(4, dev->mtu); }
            return 0;
        }]]
    local b = open(program)
    local fd = C.socket(2, 2, 0)
    local address = net.address(4242)
    address.address[0], address.address[1], address.address[3] = 10, 199, 2
    t.equal(tonumber(C.sendto(fd, ("x"):rep(99), 99, 0, address, 16)), 99)
    local index = of_command("cat /sys/class/net/vmod0/ifindex")
    t.equal(values(b, 5), ("%d %s 1 1 %s"):format(("0"):byte(), index, of_command("cat /sys/class/net/vmod0/mtu")))
    C.close(fd)
    b:cleanup()
    os.execute("ip link del vmod0")
end)

of_module("loop", "by the mechanisms that serve `attach_kprobe`", function()
    local program = [[
        int enter(struct pt_regs *ctx, struct file *file, unsigned int cmd, unsigned long parm) {
            if (MINE) { SET(0, cmd); SET(1, parm); SET(2, file->f_flags & 3); }
            return 0;
        }
        int leave(struct pt_regs *ctx) {
            if (MINE) SET(3, PT_REGS_RC(ctx));
            return 0;
        }]]
    local control = file_of("/dev/loop-control", RDWR)
    for _, mechanism in ipairs({ "kprobe", "fentry", "kprobe_multi" }) do
        local b = open(program)
        local function attach(kind, fn_name)
            b["attach_" .. kind](b, { event = "loop_control_ioctl", fn_name = fn_name, mechanism = mechanism })
        end
        if t.attaches(mechanism, function()
            attach("kprobe", "enter")
            attach("kretprobe", "leave")
        end) then
            C.ioctl(control, 0x4c81, ffi.cast("long", 0x7000000012LL))
            t.equal(mechanism .. ": " .. values(b, 4), mechanism .. (": %d %d 2 -19"):format(0x4c81, 0x7000000012))
        end
        b:cleanup()
    end
    C.close(control)
end)

of_module("dummy", "what cannot be attached", function()
    local function fails(text)
        return t.fails(BPF, { text = text })
    end
    local wrong = fails("MODULE_KFUNC_PROBE(dummy, dummy_xmitt) { return 0; }")
    t.contains(wrong, "kernel module `dummy` has no function `dummy_xmitt` in its BTF (ENOENT)")
    t.contains(wrong, "similar: dummy_xmit")
    local kernels = fails("MODULE_KFUNC_PROBE(dummy, vfs_read) { return 0; }")
    t.contains(kernels, "kernel module `dummy` has no function `vfs_read`")
    t.contains(kernels, "`vfs_read` is the kernel's own: leave `dummy` out")
    t.contains(fails("MODULE_KFUNC_PROBE(dumy, dummy_xmit) { return 0; }"), "kernel module `dumy` is not loaded")
    -- A function that only one kernel module has needs no module.
    local b = open("KFUNC_PROBE(dummy_xmit, struct sk_buff *skb) { SET(0, skb->len); return 0; }")
    t.equal(kinds(b), "fentry dummy_xmit")
    b:cleanup()
end)
