-- SPDX-License-Identifier: Apache-2.0
-- Texts that read the kernel's structures through pointers: loaded as programs at kernel functions on every kernel, and
-- where there are kprobes run on files and sockets of which all is known.

local ffi = require("ffi")
local t = require("harness")
local kprobes = require("help.kprobes")
local net = require("help.sockets")

ffi.cdef("int getpid(void); long syscall(long number, ...); int getpriority(int which, unsigned who);")
local me = ffi.C.getpid()

-- Where a disk is since Linux 5.16, and how a process's pages were counted before 6.2.
local HAS_DISK = BPF.kernel_struct_has_field("request_queue", "disk") == 1
local OLD_COUNTERS = BPF.kernel_struct_has_field("mm_rss_stat", "count") == 1

-- Texts that are loaded only; `plain` are those that read nothing through a pointer.
local LOADED = {
    { "a member behind a macro that takes an address, by one's own macro", [[
#include <net/tcp.h>
#define _(P) ({ typeof(P) v = 0; bpf_probe_read_kernel(&v, sizeof(v), &P); v; })
int f(struct pt_regs *ctx, struct sk_buff *skb) { return _(TCP_SKB_CB(skb)->tcp_gso_size); }
]] },
    { "the same, and a member of the packet", [[
#include <net/tcp.h>
#define _(P) ({ typeof(P) v = 0; bpf_probe_read_kernel(&v, sizeof(v), &P); v; })
int f(struct pt_regs *ctx, struct sk_buff *skb) { return _(TCP_SKB_CB(skb)->tcp_gso_size) + skb->protocol; }
]] },
    { "a member behind a macro, read by the helper", [[
#include <net/tcp.h>
int f(struct pt_regs *ctx, struct sk_buff *skb)
{
    u16 value = 0;
    bpf_probe_read_kernel(&value, sizeof(value), &(TCP_SKB_CB(skb)->tcp_gso_size));
    return value;
}
]] },
    { "the same by the helper, and a member of the packet", [[
#include <net/tcp.h>
int f(struct pt_regs *ctx, struct sk_buff *skb)
{
    u16 value = 0;
    bpf_probe_read_kernel(&value, sizeof(value), &(TCP_SKB_CB(skb)->tcp_gso_size));
    return value + skb->protocol;
}
]] },
    { "a member behind a macro, as it is", [[
#include <net/tcp.h>
int f(struct pt_regs *ctx, struct sk_buff *skb) { return TCP_SKB_CB(skb)->tcp_gso_size; }
]] },
    { "pointers to the kernel's structures as keys", [[
#include <linux/blk-mq.h>
BPF_HASH(start, struct request *);
int f(struct pt_regs *ctx, struct request *req) { u64 ts = bpf_ktime_get_ns(); start.update(&req, &ts); return 0; }
int g(struct pt_regs *ctx, struct request *req) { u64 *ts = start.lookup(&req); if (ts != 0) start.delete(&req); return 0; }
]], functions = { "f", "g" }, plain = true },
    { "a member in a line of the trace pipe", [[
#include <linux/blk-mq.h>
struct key { struct request *req; };
BPF_HASH(start_by_key, struct key, u64, 1024);
int f(struct pt_regs *ctx, struct request *req) { struct key key = {}; bpf_trace_printk("length %d\n", req->__data_len); return 0; }
]] },
    { "an argument in a line of the trace pipe", [[
#include <linux/blkdev.h>
int f(struct pt_regs *ctx, int req) { bpf_trace_printk("at 0x%x\n", req); return 0; }
]], plain = true },
    { "text in an array of a structure, in a line of the trace pipe", [[
#include <linux/blk-mq.h>
int f(struct pt_regs *ctx, struct request *req) { bpf_trace_printk("%s\n", req->DISK->disk_name); return 0; }
]], DISK = HAS_DISK and "q->disk" or "rq_disk" },
    { "a member of a union without a name", [[
#include <linux/mm_types.h>
int f(struct pt_regs *ctx, struct page *page) { void *p = page->mapping; return p != NULL; }
]] },
    { "flags that are negated and in brackets", [[
#include <linux/blk-mq.h>
int f(struct pt_regs *ctx, struct request *req)
{
    if (!(req->bio->bi_flags & 1)) return 1;
    if (((req->bio->bi_flags))) return 2;
    return 0;
}
]] },
    { "the result of a function that is a structure", [[
#include <net/inet_sock.h>
int f(struct pt_regs *ctx) { struct sock *new = (struct sock *)PT_REGS_RC(ctx); return new->__sk_common.skc_rcv_saddr; }
]] },
    { "an element of an array in a union", [[
#include <net/inet_sock.h>
int f(struct pt_regs *ctx, struct sock *sk) { return sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[0]; }
]] },
    { "an element by an enumerator", [[
#include <linux/mm_types.h>
int f(struct pt_regs *ctx, struct mm_struct *mm) { return mm->rss_stat PAGES; }
]], PAGES = OLD_COUNTERS and ".count[MM_ANONPAGES].counter" or "[MM_ANONPAGES].count" },
    { "a switch over bits of a member", [[
#include <linux/blk_types.h>
#include <linux/blk-mq.h>
#include <linux/time64.h>
BPF_PERCPU_ARRAY(by_time, u64, 400);
int f(struct pt_regs *ctx, struct request *rq)
{
    u64 base, slot, now = 100000;
    if (!rq->start_time_ns || !rq->q)
        return 0;
    switch (rq->cmd_flags & REQ_OP_MASK) {
    case REQ_OP_READ: base = 0; break;
    case REQ_OP_WRITE: base = 100; break;
    case REQ_OP_DISCARD: base = 200; break;
    case REQ_OP_FLUSH: base = 300; break;
    default: return 0;
    }
    slot = min_t(size_t, div_u64(now - rq->start_time_ns, 100 * NSEC_PER_MSEC), 99);
    by_time.increment(base + slot);
    return 0;
}
]] },
    { "a tracepoint's member that is an address", [[
#include <linux/netdevice.h>
TRACEPOINT_PROBE(skb, kfree_skb) { struct sk_buff *skb = (struct sk_buff *)args->skbaddr; return skb->protocol; }
]], functions = {} },
}

-- All of them in one text: compiling is what takes the time.
local pieces = {}
for number, case in ipairs(LOADED) do
    local words = { DISK = case.DISK, PAGES = case.PAGES, f = "f" .. number, g = "g" .. number }
    pieces[number] = case[2]:gsub("%f[%w_]%a+%f[^%w_]", words)
end
local loaded = BPF({ text = table.concat(pieces) })

for number, case in ipairs(LOADED) do
    t.test(case[1], function()
        for _, name in ipairs(case.functions or { "f" }) do
            name = name .. number
            t.equal(loaded:load_func(name, BPF.KPROBE).fd > 0, true)
            t.equal(loaded:disassemble_func(name):find("call bpf_probe_read", 1, true) ~= nil, not case.plain)
        end
    end)
end
loaded:cleanup()

t.test("a packet's data in its program", function()
    local b = BPF({ text = [[
#include <uapi/linux/pkt_cls.h>
#include <linux/if_ether.h>
SEC("tc") int f(struct __sk_buff *ctx)
{
    void *data_end = (void *)(long)ctx->data_end, *data = (void *)(long)ctx->data;
    struct ethhdr *eh = data;
    if (data + sizeof(struct ethhdr) > data_end)
        return TC_ACT_SHOT;
    return eh->h_proto == bpf_htons(1) ? TC_ACT_SHOT : TC_ACT_OK;
}
]] })
    t.equal(b:test_run({ fn_name = "f", data_in = ("\0"):rep(12) .. "\0\1" .. ("\0"):rep(50) }).retval, 2)
    t.equal(b:test_run({ fn_name = "f", data_in = ("\0"):rep(12) .. "\0\2" .. ("\0"):rep(50) }).retval, 0)
    t.equal(b:disassemble_func("f"):find("call bpf_probe_read", 1, true), nil)
end)

t.test("a packet's fields in a line of the trace pipe", function()
    local b = BPF({ text = [[
#include <bcc/proto.h>
SEC("tc") int f(struct __sk_buff *skb)
{
    u8 *cursor = 0;
    struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
    return bpf_trace_printk("to %llx from %llx\n", ethernet->dst, ethernet->src);
}
]] })
    -- The helper gives the length of the line.
    local line = "to 10203040506 from a0b0c0d0e0f\n"
    t.equal(b:test_run({ fn_name = "f", data_in = "\1\2\3\4\5\6\10\11\12\13\14\15" .. ("\0"):rep(52) }).retval, #line)
end)

t.test("the current task", function()
    local b = BPF({ text = ([[
BPF_ARRAY(got, int, 1);
int f(struct pt_regs *ctx)
{
    int zero = 0, priority;
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();

    if (bpf_get_current_pid_tgid() >> 32 != %d)
        return 0;
    priority = task->prio;
    got.update(&zero, &priority);
    return 0;
}
]]):format(me) })
    b:attach_kprobe({ event = b:get_syscall_fnname("getpid"), fn_name = "f" })
    ffi.C.syscall(ffi.arch == "x64" and 39 or 172)
    -- The kernel's own scale: 120 for nice 0.
    local stat = io.open("/proc/self/stat"):read("*a"):gsub("^%d+ %b() ", "")
    t.equal(b.got[0], 100 + tonumber(stat:match("^" .. ("%S+ "):rep(15) .. "(%d+)")))
    b:cleanup()
end)

t.test("arguments of a system call, kept in a struct", function()
    local b = BPF({ text = ([[
struct args_t { const char *filename; int flags, mode; };
struct kept_t { char name[64]; int flags, mode; };
BPF_ARRAY(got, struct kept_t, 1);
int on_open(struct pt_regs *ctx, int folder, const char *filename, int flags, int mode)
{
    struct args_t args = {};
    struct kept_t *kept;
    int zero = 0;

    if (bpf_get_current_pid_tgid() >> 32 != %d || !(kept = got.lookup(&zero)))
        return 0;
    args.filename = filename;
    args.flags = flags;
    args.mode = mode;
    bpf_probe_read_user_str(kept->name, sizeof(kept->name), args.filename);
    kept->flags = args.flags;
    kept->mode = args.mode;
    return 0;
}
int syscall__openat(struct pt_regs *ctx, int folder, const char *filename, int flags, int mode)
{
    return on_open(ctx, folder, filename, flags, mode);
}
]]):format(me) })
    b:attach_kprobe({ event = b:get_syscall_fnname("openat"), fn_name = "syscall__openat" })
    local name = os.tmpname()
    b.got:clear()
    local fd = ffi.C.syscall(ffi.arch == "x64" and 257 or 56, ffi.cast("int", -100), name, ffi.cast("int", 66), ffi.cast("int", 384))
    t.equal(ffi.string(b.got[0].name), name)
    t.equal(b.got[0].flags, 66)
    t.equal(b.got[0].mode, 384)
    b:cleanup()
    os.remove(name)
end)

t.test_unless(kprobes.lacking, "a file's name and its file system, through helper functions", function()
    local b = BPF({ text = ([[
#include <linux/fs.h>
#include <linux/mount.h>
struct name_t { char text[32]; };
BPF_HASH(blocks, struct super_block *);
BPF_ARRAY(names, struct name_t, 2);
static void keep_name(struct file *file, int slot)
{
    struct name_t *kept = names.lookup(&slot);
    if (!file || !kept)
        return;
    const char *name = file->f_path.dentry->d_name.name;
    bpf_probe_read_kernel_str(kept->text, sizeof(kept->text), name);
}
static void keep_name_too(int unused, struct file *file) { keep_name(file, 1); }
int entry1(struct pt_regs *ctx, struct file *file)
{
    if (bpf_get_current_pid_tgid() >> 32 != %d || !file)
        return 0;
    struct vfsmount *mnt = file->f_path.mnt;
    if (mnt) {
        struct super_block *k = mnt->mnt_sb;
        u64 zero = 0;
        blocks.update(&k, &zero);
        k = mnt->mnt_sb;
        blocks.update(&k, &zero);
    }
    keep_name(file, 0);
    return 0;
}
int entry2(struct pt_regs *ctx, struct file *file, int unused)
{
    if (bpf_get_current_pid_tgid() >> 32 == %d)
        keep_name_too(unused, file);
    return 0;
}
]]):format(me, me) })
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    b:attach_kprobe({ event = "vfs_write", fn_name = "entry1" })
    b:attach_kprobe({ event = "vfs_write", fn_name = "entry2", mechanism = "kprobe" })
    file:write("x")
    file:close()
    b:detach_kprobe({ event = "vfs_write" })
    for slot = 0, 1 do
        t.equal(ffi.string(b.names[slot].text), name:match("[^/]*$"))
    end
    t.equal(b.blocks:count(), 1)
    b:cleanup()
    os.remove(name)
end)

t.test_unless(kprobes.lacking, "whether a file can be read in pieces", function()
    local b = BPF({ text = ([[
#include <linux/fs.h>
BPF_HASH(answers, u64, u64);
int f(struct pt_regs *ctx, struct file *file)
{
    u64 inode, lacks;
    if (bpf_get_current_pid_tgid() >> 32 != %d)
        return 0;
    inode = file->f_inode->i_ino;
    lacks = !file->f_op->read_iter;
    answers.update(&inode, &lacks);
    return 0;
}
]]):format(me) })
    b:attach_kprobe({ event = "vfs_read", fn_name = "f" })
    local file = assert(io.open("/proc/self/stat"))
    file:read("*a")
    file:close()
    b:detach_kprobe({ event = "vfs_read" })
    t.equal(#b.answers > 0, true)
    for _, lacks in b.answers:items() do
        t.equal(lacks == 0ULL or lacks == 1ULL, true)
    end
    b:cleanup()
end)

-- How a program keeps a socket from a function's entry to its return.
local SOCKETS = {
    ["a socket kept in a map"] = {
        "int entered(struct pt_regs *ctx, struct sock *sk, struct sockaddr *to, int length) { KEY currsock.update(&pid, &sk); return 0; }",
        "int returned(struct pt_regs *ctx) { KEY struct sock **skpp; skpp = currsock.lookup(&pid); if (skpp) { struct sock *skp = *skpp; PORT(skp->__sk_common.skc_dport); } return 0; }",
    },
    ["a socket out of a map that is declared with its value"] = {
        "int entered(struct pt_regs *ctx, struct sock *sk, struct sockaddr *to, int length) { KEY currsock.update(&pid, &sk); return 0; }",
        "int returned(struct pt_regs *ctx) { KEY struct sock **skpp = currsock.lookup(&pid); if (skpp) { struct sock *skp = *skpp; PORT(skp->__sk_common.skc_dport); } return 0; }",
    },
    ["a socket that is used before it is kept"] = {
        "int returned(struct pt_regs *ctx) { KEY struct sock **skpp; skpp = currsock.lookup(&pid); if (skpp) { struct sock *skp = *skpp; PORT(skp->__sk_common.skc_dport); } return 0; }",
        "int entered(struct pt_regs *ctx, struct sock *sk) { KEY currsock.update(&pid, &sk); return 0; }",
    },
    ["a socket kept through a pointer to it"] = {
        "int entered(struct pt_regs *ctx, struct sock *sk) { KEY struct sock **skp = &sk; currsock.update(&pid, skp); return 0; }",
        "int returned(struct pt_regs *ctx) { KEY struct sock **skpp; skpp = currsock.lookup(&pid); if (skpp) { struct sock *skp = *skpp; PORT(skp->__sk_common.skc_dport); } return 0; }",
    },
}

for name, functions in pairs(SOCKETS) do
    t.test(name, function()
        local b = BPF({ text = ([[
#include <net/sock.h>
BPF_HASH(currsock, u32, struct sock *);
BPF_ARRAY(got, u32, 1);
#define KEY u32 pid = bpf_get_current_pid_tgid(); if (bpf_get_current_pid_tgid() >> 32 != %d) return 0;
#define PORT(value) do { int zero = 0; u32 port = (value); got.update(&zero, &port); } while (0)
%s
%s
]]):format(me, functions[1], functions[2]) })
        for _, fn_name in ipairs({ "entered", "returned" }) do
            t.equal(b:load_func(fn_name, BPF.KPROBE).fd > 0, true)
        end
        if kprobes.lacking then
            return t.skip(name .. ", run", kprobes.lacking)
        end
        b:attach_kprobe({ event = "tcp_v4_connect", fn_name = "entered" })
        b:attach_kretprobe({ event = "tcp_v4_connect", fn_name = "returned" })
        local listener, port = net.listener()
        local client = net.tcp()
        t.equal(net.connect(client, port), 0)
        t.equal(net.C.htons(b.got[0]), port)
        net.C.close(client)
        net.C.close(listener)
        b:cleanup()
    end)
end

t.test_unless(kprobes.lacking, "a member of a map's value is added to, by a kernel function's argument", function()
    local b = BPF({ text = ([[
#include <linux/gfp.h>
struct leaf { size_t size; };
BPF_HASH(sizes, u32, struct leaf);
int on_kmalloc(struct pt_regs *ctx, size_t size)
{
    u32 pid = bpf_get_current_pid_tgid() >> 32;
    struct leaf *leaf = sizes.lookup(&pid);
    if (leaf)
        leaf->size += size;
    return 0;
}
]]) })
    b.sizes[me] = { size = 0 }
    local functions = b:get_kprobe_functions("__kmalloc(_noprof)?")
    t.equal(#functions > 0, true)
    b:attach_kprobe({ event = functions[1], fn_name = "on_kmalloc" })
    for _ = 1, 20 do
        local file = assert(io.open("/proc/self/maps"))
        file:read("*a")
        file:close()
        os.execute("true")
    end
    t.equal(b.sizes[me].size > 0, true)
    b:cleanup()
end)

t.test("a packed struct out of a tracepoint", function()
    local b = BPF({ text = [[
struct pair { u16 a; u32 b; } __packed;
BPF_TABLE("hash", u32, struct pair, seen, 2);
TRACEPOINT_PROBE(kmem, kmalloc)
{
    u32 key = 0;
    struct pair info, *entry = seen.lookup(&key);

    if (entry == NULL) {
        info.a = 10;
        info.b = 20;
        seen.update(&key, &info);
    }
    return 0;
}
]] })
    local limit = os.time() + 30
    repeat
        os.execute("true")
    until #b.seen > 0 or os.time() > limit
    t.equal(b.seen.value_type.size, 6)
    t.equal(b.seen[0].a, 10)
    t.equal(b.seen[0].b, 20)
    b:cleanup()
end)

t.test_unless(kprobes.lacking, "increments by more than one, at a function of the kernel's own maps", function()
    local b = BPF({ text = [[
struct bpf_map;
BPF_HASH(counts);
int on_delete(struct pt_regs *ctx, struct bpf_map *map, u64 *key)
{
    counts.increment(42, 5);
    counts.atomic_increment(42, 5);
    return 0;
}
]] })
    b:attach_kprobe({ event = "htab_map_delete_elem", fn_name = "on_delete" })
    b:cleanup()
end)
