-- SPDX-License-Identifier: Apache-2.0
-- Texts that a rewriter of C stumbles over: reads inside macros and their arguments, anonymous unions, arrays inside of
-- structs inside of sockets, leaves that point to themselves; each value against what the kernel says of it elsewhere.

local packets = require("help.packets")
local t = require("harness")
local ffi = require("ffi")
local net = require("help.sockets")
ffi.cdef([[
long syscall(long number, ...);
int getpid(void);
int open(const char *path, int flags, int mode);
int close(int fd);
int link(const char *from, const char *to);
int unlink(const char *path);
struct nastiest_in6 { uint16_t family, port; uint32_t flow; uint8_t address[16]; uint32_t scope; };
]])

local C, PID = ffi.C, ffi.C.getpid()
-- getpgid: it fails for what is no process, and harms nothing.
local NUMBER = ffi.arch == "x64" and 121 or 155
os.execute("ip link set lo up 2>/dev/null")

local HEAD = [[
BPF_ARRAY(got, u64, 64);
#define SET(n, v) do { int k_ = (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define MINE (bpf_get_current_pid_tgid() >> 32 == PID)
#define TASK ((struct task_struct *)bpf_get_current_task())
]]

local function open(text, flags)
    return BPF({ text = HEAD .. text, cflags = { "-DPID=" .. PID, "-DNUMBER=" .. NUMBER, unpack(flags or {}) } })
end

local function at_syscall(body)
    return 'SEC("raw_tp/sys_enter") int f(struct bpf_raw_tracepoint_args *ctx) { if (ctx->args[1] != NUMBER || !MINE) return 0; '
        .. body
        .. " return 0; }"
end

local function value(b, slot)
    return tonumber(ffi.cast("int64_t", b.got[slot]))
end

local function parent()
    return tonumber(io.open("/proc/self/stat"):read("*l"):gsub("^%d+ %b() ", ""):match("^%S+ (%d+)"))
end

t.test("a macro that reads, in itself, in others and as an argument of methods", function()
    local b = open([[
        #define _(P) ({ typeof(P) read_; bpf_probe_read_kernel(&read_, sizeof(read_), &(P)); read_; })
        #define PARENT(task) ((task)->real_parent)
        #define KEY(task) (&(u32){ (task)->tgid })
        #define NEXT(task) ((task)->tgid == PID ? 1 : 0)
        #define APPLY(macro, x) macro(x)
        BPF_HASH(by_pid, u32, u64);
        BPF_PROG_ARRAY(tails, 2);
        SEC("raw_tp") int wrong(struct bpf_raw_tracepoint_args *ctx) { SET(4, 1000); return 0; }
        SEC("raw_tp") int right(struct bpf_raw_tracepoint_args *ctx) { SET(4, TASK->tgid); return 0; }
        ]] .. at_syscall([[
        struct task_struct *t = TASK;
        u64 one = 1, *found;
        SET(0, _(t->tgid)); SET(1, _(_(t->real_parent)->tgid)); SET(2, APPLY(PARENT, t)->tgid); SET(5, _(t->comm[1]));
        by_pid.update(KEY(PARENT(t)), &one);
        by_pid.increment(*KEY(PARENT(t)), t->group_leader->tgid == PID ? 41 : 1);
        found = by_pid.lookup(KEY(APPLY(PARENT, t)));
        if (found) SET(3, *found);
        tails.call(ctx, NEXT(t));]]))
    b.tails[0], b.tails[1] = b:load_func("wrong").fd, b:load_func("right").fd
    C.syscall(NUMBER, -1)
    t.equal(value(b, 0), PID)
    t.equal(value(b, 1), parent())
    t.equal(value(b, 2), parent())
    t.equal(value(b, 3), 42)
    t.equal(value(b, 4), PID)
    t.equal(value(b, 5), io.open("/proc/self/comm"):read("*l"):byte(2))
    t.equal(tonumber(b.by_pid[parent()]), 42)
    b:cleanup()
end)

t.test("anonymous unions and arrays of structs", function()
    local path = os.tmpname()
    C.link(path, path .. ".second")
    local fd = C.open(path, 0, 0)
    local b = open(at_syscall([[
        struct file *file = TASK->files->fdt->fd[FD];
        struct inode *inode = file->f_inode;
        // i_nlink is one of two names of a member of an anonymous union.
        SET(0, inode->i_nlink); SET(1, (*&inode)->i_nlink); SET(2, !inode->i_op->lookup); SET(3, !!file->f_op->read_iter);
        SET(4, TASK->signal->rlim[7].rlim_cur); SET(5, (&TASK->signal->rlim[7])->rlim_max); SET(6, (TASK->signal->rlim + 7)->rlim_cur);
        SET(7, TASK->signal->rlim  [ 7 ] . rlim_max); SET(8, (*(TASK->nsproxy)).uts_ns->name.sysname[0]);
        SET(9, (*(&TASK->nsproxy->uts_ns->name.release[1])));]]), { "-DFD=" .. fd })
    C.syscall(NUMBER, -1)
    t.equal(value(b, 0), 2)
    t.equal(value(b, 1), 2)
    t.equal(value(b, 2), 1)
    t.equal(value(b, 3), 1)
    local soft, hard
    for line in io.lines("/proc/self/limits") do
        soft, hard = (soft or line:match("^Max open files%s+(%d+)")), (hard or line:match("^Max open files%s+%d+%s+(%d+)"))
    end
    for slot, wanted in pairs({ [4] = soft, [5] = hard, [6] = soft, [7] = hard }) do
        t.equal(value(b, slot), tonumber(wanted))
    end
    t.equal(value(b, 8), ("L"):byte())
    t.equal(value(b, 9), io.open("/proc/sys/kernel/osrelease"):read("*l"):byte(2))
    b:cleanup()
    C.close(fd)
    C.unlink(path)
    C.unlink(path .. ".second")
end)

t.test("addresses of version 6 inside of sockets", function()
    local AF_INET6 = 10
    local server = C.socket(AF_INET6, 1, 0)
    if server < 0 then
        return t.skip("addresses of version 6", "no IPv6 here")
    end
    local address = ffi.new("struct nastiest_in6", { family = AF_INET6 })
    address.address[15] = 1
    if C.bind(server, address, 28) ~= 0 then
        return t.skip("addresses of version 6", "no address ::1 here")
    end
    C.listen(server, 4)
    C.getsockname(server, address, ffi.new("uint32_t[1]", 28))
    local b = open([[
        #include <net/sock.h>
        static __always_inline void look(int base, struct sock *sk) {
            SET(base, sk->__sk_common.skc_v6_daddr.s6_addr32[3]); SET(base + 1, sk->sk_v6_daddr.in6_u.u6_addr32[0]);
            SET(base + 2, sk->sk_v6_rcv_saddr.in6_u.u6_addr8[15]); SET(base + 3, ntohs(sk->sk_dport));
            SET(base + 4, (&sk->__sk_common)->skc_v6_daddr.in6_u.u6_addr16[7]); SET(base + 5, sk->sk_family);
        }
        RAW_TRACEPOINT_PROBE(inet_sock_set_state) {
            struct sock *sk = (struct sock *)ctx->args[0];
            if (ctx->args[2] == TCP_ESTABLISHED && MINE && sk->sk_dport == htons(PORT)) look(0, sk);
            return 0;
        }
        SEC("tp_btf/inet_sock_set_state") int BPF_PROG(typed, struct sock *sk, int old, int new) {
            if (new == TCP_ESTABLISHED && MINE && sk->sk_dport == htons(PORT)) look(10, sk);
            return 0;
        }]], { "-DPORT=" .. C.htons(address.port) })
    local client = C.socket(AF_INET6, 1, 0)
    t.equal(C.connect(client, address, 28), 0)
    for _, base in ipairs({ 0, 10 }) do
        local found = {}
        for i = 0, 5 do
            found[#found + 1] = value(b, base + i)
        end
        t.equal(table.concat(found, " "), ("%d 0 1 %d 256 %d"):format(0x01000000, C.htons(address.port), AF_INET6))
    end
    C.close(client)
    C.close(server)
    b:cleanup()
end)

t.test("the control block of a segment, through the kernel's macro", function()
    local b = open([[
        #include <net/tcp.h>
        RAW_TRACEPOINT_PROBE(tcp_probe) {
            struct sk_buff *skb = (struct sk_buff *)ctx->args[1];
            struct tcphdr *header = (struct tcphdr *)(skb->head + skb->transport_header);
            u32 begin = TCP_SKB_CB(skb)->seq, end = 0;
            bpf_probe_read_kernel(&end, sizeof(end), &(TCP_SKB_CB(skb)->end_seq));
            if (end - begin != 1234)
                return 0;
            SET(0, 1); SET(1, ntohl(header->seq) == begin); SET(2, ntohs(header->dest)); SET(3, header->doff * 4 + 1234 == skb->len);
            return 0;
        }]])
    local client, server = net.pair()
    net.send(client, ("x"):rep(1234))
    net.until_true("the segment is seen", function() return value(b, 0) == 1 end)
    t.equal(value(b, 1), 1)
    t.equal(value(b, 2), net.port(server))
    C.close(client)
    C.close(server)
    b:cleanup()
end)

t.test("leaves that point to themselves, empty ones, and padding", function()
    local b = open([[
        struct chain_t { struct chain_t *own, *other; struct chain_t *both[2]; };
        struct empty_t {};
        union nothing_t { struct empty_t *pointer; struct empty_t one, two; };
        struct padded_t { u32 a; struct { char b; __int128 c; }; u8 d; unsigned __int128 e; char f; };
        struct apart_t { u8 source[4] __attribute__((aligned(8))); u8 target[4] __attribute__((aligned(8))); };
        struct packed_t { u8 a; u32 b; u16 c; } __attribute__((packed));
        BPF_ARRAY(chains, struct chain_t, 1);
        BPF_ARRAY(pointers, struct chain_t *, 1);
        BPF_ARRAY(nothing, union nothing_t, 1);
        BPF_HASH(padded, struct padded_t, struct apart_t);
        BPF_HASH(packed, struct packed_t, struct packed_t);
        ]] .. at_syscall([[
        int zero = 0;
        struct chain_t *chain = chains.lookup(&zero), **kept;
        struct task_struct *t = TASK;
        struct padded_t key = {};
        struct apart_t leaf = { .source = { 1, 2, 3, 4 }, .target = { 5, 6, 7, 8 } }, *found;
        struct packed_t small = { .a = 1, .b = t->tgid, .c = 3 };
        struct chain_t *task = (struct chain_t *)t;
        if (!chain) return 0;
        chain->own = task; chain->both[1] = (struct chain_t *)t->real_parent;
        pointers.update(&zero, &task);
        kept = pointers.lookup(&zero);
        if (kept) SET(0, ((struct task_struct *)*kept)->tgid);
        SET(1, ((struct task_struct *)chain->both[1])->tgid); SET(2, chain->own == task); SET(3, sizeof(union nothing_t));
        key.a = t->tgid; key.b = 2; key.c = (__int128)3 << 64; key.d = 4; key.e = 5; key.f = 6;
        padded.update(&key, &leaf);
        found = padded.lookup(&key);
        if (found) SET(4, found->target[2] * 10 + found->source[3]);
        SET(5, sizeof(key)); SET(6, sizeof(leaf));
        packed.update(&small, &small);]]))
    C.syscall(NUMBER, -1)
    t.equal(value(b, 0), PID)
    t.equal(value(b, 1), parent())
    t.equal(value(b, 2), 1)
    t.equal(value(b, 3), 8)
    t.equal(value(b, 4), 74)
    t.equal(value(b, 5), 96)
    t.equal(value(b, 6), 16)
    local count = 0
    for key, leaf in b.padded:pairs() do
        t.equal(ffi.sizeof(key), 96)
        t.equal(ffi.sizeof(leaf), 16)
        t.equal(tonumber(key.a), PID)
        t.equal(leaf.target[3], 8)
        count = count + 1
    end
    for key, leaf in b.packed:pairs() do
        t.equal(ffi.sizeof(key), 7)
        t.equal(tonumber(key.b), PID)
        t.equal(tonumber(leaf.c), 3)
        count = count + 1
    end
    t.equal(count, 2)
    b:cleanup()
end)

t.test("addresses that a map translates, and their checksums", function()
    local be16, checksum, put = packets.be16, packets.checksum, packets.put
    local function packet(source, target)
        local payload = "some bytes of UDP"
        local udp = be16(1000) .. be16(2000) .. be16(8 + #payload) .. "\0\0" .. payload
        udp = put(udp, 6, be16(checksum(source .. target .. "\0\17" .. be16(#udp) .. udp)))
        local ip = "\x45\0" .. be16(20 + #udp) .. "\0\1\0\0\x40\17\0\0" .. source .. target
        return ("\2"):rep(12) .. "\8\0" .. put(ip, 10, be16(checksum(ip))) .. udp
    end
    local b = BPF({
        text = [[
        #include <bcc/proto.h>
        struct pair_t { u32 source, target; };
        struct other_t { u32 source, target; u64 packets; };
        BPF_HASH(translated, struct pair_t, struct other_t);
        SEC("tc") int translate(struct __sk_buff *skb)
        {
            u8 *cursor = 0;
            struct ethernet_t *ethernet = cursor_advance(cursor, sizeof(*ethernet));
            switch (ethernet->type) {
                case ETH_P_IP: goto ip;
                default: goto EOP;
            }
        ip: ;
            struct ip_t *ip = cursor_advance(cursor, sizeof(*ip));
            u32 source = ip->src, target = ip->dst;
            struct pair_t pair = { .source = source, .target = target };
            struct other_t *other = translated.lookup(&pair);
            if (!other) goto EOP;
            ip->src = other->source;
            ip->dst = other->target;
            incr_cksum_l3(&ip->hchecksum, source, other->source);
            incr_cksum_l3(&ip->hchecksum, target, other->target);
            switch (ip->nextp) {
                case IPPROTO_UDP: goto udp;
                default: goto EOP;
            }
        udp: ;
            struct udp_t *udp = cursor_advance(cursor, sizeof(*udp));
            incr_cksum_l4(&udp->crc, source, other->source, 1);
            incr_cksum_l4(&udp->crc, target, other->target, 1);
            lock_xadd(&other->packets, 1);
        EOP:
            return 1;
        }]],
    })
    local key = { source = 0x0a000001, target = 0x0a000002 }
    b.translated[key] = { source = 0xc0a80101, target = 0xac100505 }
    local out = b:test_run({ fn_name = "translate", data_in = packet("\10\0\0\1", "\10\0\0\2") })
    t.equal(out.retval, 1)
    t.equal(out.data_out, packet("\192\168\1\1", "\172\16\5\5"))
    t.equal(tonumber(b.translated[key].packets), 1)
    local same = packet("\10\0\0\3", "\10\0\0\2")
    t.equal(b:test_run({ fn_name = "translate", data_in = same }).data_out, same)
    b:cleanup()
end)
