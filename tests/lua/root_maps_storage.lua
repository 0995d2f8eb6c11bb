-- SPDX-License-Identifier: Apache-2.0
-- Storage that belongs to a socket, an inode, a task or a cgroup.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef([[
int getpid(void);
long syscall(long number, ...);
int socket(int domain, int type, int protocol);
int open(const char *path, int flags);
int close(int fd);
]])
local GETPGID, PIDFD_OPEN = 121, 434

-- Whether this kernel has such maps; the error says so when not, and then the rest is skipped.
local function has(text, kind)
    local made, b = pcall(BPF, { text = text })
    if made then
        b:cleanup()
        return true
    end
    t.contains(b, "this kernel has no maps of type " .. kind)
    print("skipped: this kernel has no maps of type " .. kind)
end

t.test("a task's storage is its own", function()
    if not has("BPF_TASK_STORAGE(tasks, u64);", "task_storage") then
        return
    end
    local b = BPF({ text = ([[
struct state { u64 calls; u32 pid; };
BPF_TASK_STORAGE(tasks, struct state);
BPF_ARRAY(deleted, int, 1);

RAW_TRACEPOINT_PROBE(sys_enter) {
    if (bpf_get_current_pid_tgid() >> 32 != %d || ctx->args[1] != %d)
        return 0;
    struct task_struct *task = bpf_get_current_task_btf();
    struct state *state = tasks.task_storage_get(task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (!state)
        return 0;
    state->calls++;
    state->pid = bpf_get_current_pid_tgid();
    if (state->calls == 3) {
        int zero = 0, got = tasks.task_storage_delete(task);
        deleted.update(&zero, &got);
    }
    return 0;
}]]):format(ffi.C.getpid(), GETPGID) })
    local pidfd = tonumber(ffi.C.syscall(PIDFD_OPEN, ffi.cast("long", ffi.C.getpid()), ffi.cast("long", 0)))
    t.equal(b.tasks[pidfd], nil)
    b.deleted[0] = 77
    ffi.C.syscall(GETPGID, 0)
    ffi.C.syscall(GETPGID, 0)
    t.equal(b.tasks[pidfd].calls, 2ULL)
    t.equal(b.tasks[pidfd].pid, ffi.C.getpid())
    ffi.C.syscall(GETPGID, 0)
    t.equal(b.deleted[0], 0)
    t.equal(b.tasks[pidfd], nil)
    b.tasks[pidfd] = { calls = 10 }
    ffi.C.syscall(GETPGID, 0)
    t.equal(b.tasks[pidfd].calls, 11ULL)
    t.equal(b.tasks:delete(pidfd), true)
    t.contains(t.fails(function() for _ in b.tasks:items() do end end), "a map of type task_storage does not do that")
    ffi.C.close(pidfd)
end)

t.test("a socket's storage", function()
    local b = BPF({ text = [[
BPF_SK_STORAGE(sockets, u64);
BPF_ARRAY(got, u64, 3);
SEC("tc") int count(struct __sk_buff *skb) {
    struct bpf_sock *sk = skb->sk ? bpf_sk_fullsock(skb->sk) : 0;
    if (!sk)
        return 1;
    u64 begin = 5, *count = sockets.sk_storage_get(sk, &begin, BPF_SK_STORAGE_GET_F_CREATE);
    if (!count)
        return 2;
    got.increment(0, ++*count);
    got.increment(1, !sockets.sk_storage_delete(sk));
    got.increment(2, sockets.sk_storage_get(sk, 0, 0) == 0);
    return 0;
}]] })
    t.equal(b:test_run({ fn_name = "count", data_in = ("\0"):rep(12) .. "\8\0\69" .. ("\0"):rep(49) }).retval, 0)
    t.equal(b.got[0], 6ULL)
    t.equal(b.got[1], 1ULL)
    t.equal(b.got[2], 1ULL)
    local AF_INET, SOCK_STREAM = 2, 1
    local fd = ffi.C.socket(AF_INET, SOCK_STREAM, 0)
    t.equal(b.sockets[fd], nil)
    b.sockets[fd] = 9
    t.equal(b.sockets[fd], 9ULL)
    t.equal(b.sockets:set(fd, 1, 1), false)
    b.sockets[fd] = nil
    t.equal(b.sockets[fd], nil)
    t.contains(t.fails(function() b.sockets[9999] = 1 end), "cannot update map `sockets`: bad file descriptor (EBADF)")
    ffi.C.close(fd)
end)

t.test("an inode's storage", function()
    if not has("BPF_INODE_STORAGE(inodes, u64);", "inode_storage") then
        return
    end
    local b = BPF({ text = "BPF_INODE_STORAGE(inodes, u64);" })
    local fd, same = ffi.C.open("/proc/self/exe", 0), ffi.C.open("/proc/self/exe", 0)
    b.inodes[fd] = 6
    t.equal(b.inodes[same], 6ULL)
    b.inodes[same] = nil
    t.equal(b.inodes[fd], nil)
    ffi.C.close(fd)
    ffi.C.close(same)
end)

t.test("a program finds an inode's storage", function()
    local text = ([[
BPF_INODE_STORAGE(inodes, u64);
BPF_ARRAY(deleted, int, 1);
LSM_PROBE(file_open, struct file *file) {
    if (bpf_get_current_pid_tgid() >> 32 != %d)
        return 0;
    u64 *opened = inodes.inode_storage_get(file->f_inode, 0, 0);
    if (opened && ++*opened == 3) {
        int zero = 0, got = inodes.inode_storage_delete(file->f_inode);
        deleted.update(&zero, &got);
    }
    return 0;
}]]):format(ffi.C.getpid())
    local made, b = pcall(BPF, { text = text })
    if not made then
        t.contains(b, "lsm")
        return print("skipped: no LSM programs here")
    end
    local fd = ffi.C.open("/proc/self/exe", 0)
    b.inodes[fd], b.deleted[0] = 1, 77
    ffi.C.close(ffi.C.open("/proc/self/exe", 0))
    t.equal(b.inodes[fd], 2ULL)
    ffi.C.close(ffi.C.open("/proc/self/exe", 0))
    t.equal(b.deleted[0], 0)
    t.equal(b.inodes[fd], nil)
    ffi.C.close(fd)
    b:cleanup()
end)

t.test("a cgroup's storage lives from run to run", function()
    local b = BPF({ text = [[
BPF_CGROUP_STORAGE(plain, u64);
BPF_PERCPU_CGROUP_STORAGE(percpu, u64);
BPF_HASH(got, u64, u64);
SEC("cgroup_skb/ingress") int count(struct __sk_buff *skb) {
    u64 *one = plain.get_local_storage(0), *two = percpu.get_local_storage(0);
    *one += 1;
    *two += 10;
    got.increment(*one, *two);
    return 1;
}]] })
    b:test_run({ fn_name = "count", data_in = ("\0"):rep(12) .. "\8\0\69" .. ("\0"):rep(49), times = 5 })
    for run = 1, 5 do
        t.equal(b.got[run], 10ULL * run)
    end
    t.equal(#b.got, 5)
end)
