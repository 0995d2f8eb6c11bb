-- SPDX-License-Identifier: Apache-2.0
-- Three texts that call inline functions of the kernel's headers, their values against what the system says otherwise.
-- Run with --kernel-headers, or `check`ed with them.

local ffi = require("ffi")
ffi.cdef("int getpid(void); int getpriority(int which, unsigned who);")

local pid = ffi.C.getpid()
local flags = { "-DSCRIPT=" .. pid }

local function equal(what, got, wanted)
    if tostring(got) ~= tostring(wanted) then
        error(("%s: got %s, wanted %s"):format(what, tostring(got), tostring(wanted)), 2)
    end
end

local files = BPF({
    cflags = flags,
    text = [[
#include <linux/fs.h>
#include <linux/kdev_t.h>

struct file_t { u64 size; u32 dev, is_regular; char name[32]; };
BPF_HASH(seen, u64, struct file_t);

int kprobe__vfs_read(struct pt_regs *ctx, struct file *file)
{
    if (bpf_get_current_pid_tgid() >> 32 != SCRIPT)
        return 0;
    struct inode *inode = file_inode(file);
    u64 ino = inode->i_ino;
    struct file_t f = { .size = i_size_read(inode), .is_regular = S_ISREG(inode->i_mode) };
    f.dev = new_encode_dev(inode->i_sb->s_dev);
    bpf_probe_read_kernel_str(f.name, sizeof(f.name), file->f_path.dentry->d_name.name);
    seen.update(&ino, &f);
    return 0;
}
]],
})

local tasks = BPF({
    cflags = flags,
    text = [[
#include <linux/sched.h>
#include <linux/sched/signal.h>

struct task_t { u32 tgid, is_leader, cpu, cpu_asked; int nice; char comm[TASK_COMM_LEN]; };
BPF_ARRAY(seen, struct task_t, 1);

int kprobe__vfs_read(struct pt_regs *ctx)
{
    if (bpf_get_current_pid_tgid() >> 32 != SCRIPT)
        return 0;
    struct task_struct *p = (struct task_struct *)bpf_get_current_task();
    int zero = 0;
    struct task_t t = { .tgid = task_tgid_nr(p), .is_leader = thread_group_leader(p) };
    t.cpu = task_cpu(p);
    t.cpu_asked = bpf_get_smp_processor_id();
    t.nice = task_nice(p);
    bpf_get_current_comm(t.comm, sizeof(t.comm));
    seen.update(&zero, &t);
    return 0;
}
]],
})

local sockets = BPF({
    text = [[
#include <net/sock.h>
#include <net/inet_sock.h>
#include <linux/tcp.h>

struct sock_t { u16 port, family, is_full, keeps_open, is_v6only, pad; u32 address, mss; };
BPF_ARRAY(seen, struct sock_t, 1);

int kprobe__tcp_v4_connect(struct pt_regs *ctx, struct sock *sk, struct sockaddr *address)
{
    struct sockaddr_in *in = (struct sockaddr_in *)address;
    int zero = 0;
    struct sock_t s = { .port = ntohs(in->sin_port), .address = in->sin_addr.s_addr };
    s.family = inet_sk(sk)->sk.sk_family;
    s.is_full = sk_fullsock(sk);
    s.keeps_open = sock_flag(sk, SOCK_KEEPOPEN);
    s.mss = tcp_sk(sk)->mss_cache;
    seen.update(&zero, &s);
    return 0;
}
]],
})

-- On a file system of its own: others may read one file as another.
local path = ("/dev/shm/bpflua-%d"):format(pid)
local file = assert(io.open(path, "w"))
file:write(("x"):rep(1234))
file:close()
file = assert(io.open(path))
file:read("*a")
file:close()
os.execute("bash -c 'exec 3<>/dev/tcp/127.0.0.1/4711' 2>/dev/null")

local stat = io.popen("stat -c '%i %d' " .. path)
local ino, dev = stat:read("*l"):match("(%d+) (%d+)")
stat:close()
os.remove(path)
local f = files.seen[tonumber(ino)]
equal("size", tonumber(f.size), 1234)
equal("device", f.dev, dev)
equal("regular", f.is_regular, 1)
equal("name", ffi.string(f.name), ("bpflua-%d"):format(pid))

local t = tasks.seen[0]
equal("tgid", t.tgid, pid)
equal("leader", t.is_leader, 1)
equal("cpu", t.cpu, t.cpu_asked)
equal("nice", t.nice, ffi.C.getpriority(0, 0))
equal("nice", t.nice, 5)
equal("comm", ffi.string(t.comm), "bpflua")

local s = sockets.seen[0]
equal("port", s.port, 4711)
equal("address", s.address, 0x0100007f)
equal("family", s.family, 2)
equal("full", s.is_full, 1)
equal("keep open", s.keeps_open, 0)
-- What a new socket starts with: TCP_MSS_DEFAULT.
equal("mss", s.mss, 536)
print("all values are right")
