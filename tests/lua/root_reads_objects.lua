-- SPDX-License-Identifier: Apache-2.0
-- Files, sockets and packets in the kernel's hands, by each way to a function's or a tracepoint's arguments.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef([[
int getpid(void);
int open(const char *path, int flags, int mode);
int close(int fd);
long write(int fd, const void *buffer, size_t size);
int socket(int domain, int type, int protocol);
int bind(int fd, const void *address, unsigned length);
int listen(int fd, int backlog);
int connect(int fd, const void *address, unsigned length);
int getsockname(int fd, void *address, unsigned *length);
long sendto(int fd, const void *buffer, size_t size, int flags, const void *address, unsigned length);
]])

local PID = ffi.C.getpid()
local HEAD = [[
BPF_ARRAY(got, u64, 32);
BPF_ARRAY(files, struct file *, 1);
#define SET(n, v) do { int k_ = (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define MINE (bpf_get_current_pid_tgid() >> 32 == PID)
]]

local function open(text)
    return BPF({ text = HEAD .. text, cflags = { "-DPID=" .. PID } })
end

local function values(b, count)
    local found = {}
    for i = 0, count - 1 do
        found[#found + 1] = tostring(b.got[i]):gsub("ULL", "")
    end
    return table.concat(found, " ")
end

local PATH = ("/tmp/objects-%d.tmp"):format(PID)
local fd = ffi.C.open(PATH, 1 + 64, 384) -- O_WRONLY | O_CREAT
assert(fd >= 0, "cannot open " .. PATH)
local pipe = assert(io.popen("stat -c %i " .. PATH))
local INODE = pipe:read("*l")
pipe:close()

local WRITTEN = [[
static __always_inline int look(struct file *file, const char *buf, size_t count)
{
	char name[16] = {};
	if (count != 77 || !MINE)
		return 0;
	bpf_probe_read_kernel_str(name, sizeof(name), file->f_path.dentry->d_name.name);
	SET(0, file->f_inode->i_ino); SET(1, name[3]); SET(2, buf[0] << 8 | buf[count - 1]); SET(3, count);
	SET(4, file->f_path.dentry->d_parent->d_name.name[1]);
	return 0;
}
]]
local text = ("x"):rep(76) .. "y"
local WANTED = ("%s %d %d 77 %d"):format(INODE, ("e"):byte(), ("x"):byte() * 256 + ("y"):byte(), ("m"):byte())

-- Runs `attach` on a new object; when the kernel has the mechanism, what the programs saw of a write.
local function seen(program, mechanism, attach, count)
    local b
    local has = t.attaches(mechanism, function()
        b = open(WRITTEN .. program)
        if attach then
            attach(b)
        end
    end)
    if not has then
        return nil
    end
    t.equal(tonumber(ffi.C.write(fd, text, 77)), 77)
    local found = values(b, count or 5)
    b:cleanup()
    return found
end

t.test("a file by its write", function()
    local typed = "int f(struct pt_regs *ctx, struct file *file, const char *buf, size_t count) { return look(file, buf, count); }"
    local registers = [[int f(struct pt_regs *ctx) {
        return look((struct file *)PT_REGS_PARM1(ctx), (const char *)PT_REGS_PARM2(ctx), PT_REGS_PARM3(ctx));
    }]]
    for _, mechanism in ipairs({ "kprobe", "fentry" }) do
        for _, program in ipairs({ typed, registers }) do
            local found = seen(program, mechanism, function(b)
                b:attach_kprobe({ event = "vfs_write", fn_name = "f", mechanism = mechanism })
            end)
            t.equal(found or WANTED, WANTED)
        end
    end
    local later = [[
        int enter(struct pt_regs *ctx, struct file *file) { int zero = 0; if (MINE) files.update(&zero, &file); return 0; }
        int leave(struct pt_regs *ctx) {
            int zero = 0;
            struct file **kept = files.lookup(&zero);
            if (kept && MINE && PT_REGS_RC(ctx) == 77) { SET(0, (*kept)->f_inode->i_ino); SET(1, PT_REGS_RC(ctx)); }
            return 0;
        }]]
    for _, mechanism in ipairs({ "kprobe", "fentry" }) do
        local found = seen(later, mechanism, function(b)
            b:attach_kprobe({ event = "vfs_write", fn_name = "enter", mechanism = mechanism })
            b:attach_kretprobe({ event = "vfs_write", fn_name = "leave", mechanism = mechanism })
        end, 2)
        t.equal(found or INODE .. " 77", INODE .. " 77")
    end
    local fentry = "KFUNC_PROBE(vfs_write, struct file *file, const char *buf, size_t count) { return look(file, buf, count); }"
    t.equal(seen(fentry, "fentry") or WANTED, WANTED)
    local fexit = [[KRETFUNC_PROBE(vfs_write, struct file *file, const char *buf, size_t count, loff_t *pos, ssize_t ret) {
        SET(5, ret);
        return look(file, buf, count);
    }]]
    local found = seen(fexit, "fexit", nil, 6)
    t.equal(found or WANTED .. " 77", WANTED .. " 77")
end)

t.test("a file by the hook of its permission", function()
    local program = [[LSM_PROBE(file_permission, struct file *file, int mask) {
        if (MINE && mask == 2) { SET(0, file->f_inode->i_ino); SET(1, file->f_path.dentry->d_name.name[0]); }
        return 0;
    }]]
    local wanted = INODE .. " " .. ("o"):byte()
    local found = seen(program, "LSM", nil, 2)
    -- Loaded, but never run, where "bpf" is not among the security modules.
    if found ~= "0 0" then
        t.equal(found or wanted, wanted)
    end
end)

local SOCKET = [[
static __always_inline int look(struct sock *sk, int old, int new)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	struct tcp_sock *tcp = (struct tcp_sock *)sk;
	if (new != TCP_SYN_SENT || !MINE)
		return 0;
	SET(0, sk->sk_family); SET(1, ntohs(sk->sk_dport)); SET(2, sk->sk_daddr); SET(3, ntohs(sk->__sk_common.skc_dport));
	SET(4, sk->sk_protocol); SET(5, inet->inet_daddr); SET(6, sk->sk_state == old); SET(7, tcp->snd_nxt - tcp->snd_una);
	SET(8, sk->__sk_common.skc_net.net->ns.inum); SET(9, sk->sk_prot->name[0]);
	return 0;
}
]]

t.test("a socket by its state", function()
    local inet = "\2\0\0\0\127\0\0\1" .. ("\0"):rep(8)
    local server = ffi.C.socket(2, 1, 0)
    t.equal(ffi.C.bind(server, inet, 16), 0)
    t.equal(ffi.C.listen(server, 8), 0)
    local address, length = ffi.new("unsigned char[16]"), ffi.new("unsigned[1]", 16)
    ffi.C.getsockname(server, address, length)
    local port = address[2] * 256 + address[3]
    local link = assert(io.popen("readlink /proc/" .. PID .. "/ns/net"))
    local namespace = link:read("*l"):match("%d+")
    link:close()
    local wanted = ("2 %d 16777343 %d 6 16777343 1 0 %s %d"):format(port, port, namespace, ("T"):byte())
    for name, program in pairs({
        raw = [[RAW_TRACEPOINT_PROBE(inet_sock_set_state) {
            return look((struct sock *)ctx->args[0], ctx->args[1], ctx->args[2]);
        }]],
        btf = [[SEC("tp_btf/inet_sock_set_state") int BPF_PROG(f, struct sock *sk, int old, int new) { return look(sk, old, new); }]],
        tracepoint = [[TRACEPOINT_PROBE(sock, inet_sock_set_state) {
            return look((struct sock *)args->skaddr, args->oldstate, args->newstate);
        }]],
    }) do
        local b = open(SOCKET .. program)
        local client = ffi.C.socket(2, 1, 0)
        t.equal(ffi.C.connect(client, address, 16), 0)
        t.equal(name .. ": " .. values(b, 10), name .. ": " .. wanted)
        ffi.C.close(client)
        b:cleanup()
    end
    ffi.C.close(server)
end)

t.test("a packet by its queueing", function()
    local look = [[
        static __always_inline int look(struct sk_buff *skb) {
            if (!MINE || skb->len != 14 + 20 + 8 + 33) return 0;
            struct iphdr *ip = (struct iphdr *)(skb->head + skb->network_header);
            struct udphdr *udp = (struct udphdr *)(skb->head + skb->transport_header);
            SET(0, skb->dev->name[0] << 8 | skb->dev->name[1]); SET(1, skb->protocol); SET(2, ip->protocol);
            SET(3, ip->ihl * 4); SET(4, ntohs(udp->dest)); SET(5, skb->data == (unsigned char *)ip - 14);
            SET(6, ip->daddr); SET(7, skb->sk->sk_socket->file->f_inode->i_ino);
            return 0;
        }
    ]]
    local socket = ffi.C.socket(2, 2, 0)
    local link = assert(io.popen(("readlink /proc/%d/fd/%d"):format(PID, socket)))
    local inode = link:read("*l"):match("%d+")
    link:close()
    local address = "\2\0\161\200\127\0\0\1" .. ("\0"):rep(8)
    local wanted = ("%d 8 17 20 41416 1 16777343 %s"):format(("l"):byte() * 256 + ("o"):byte(), inode)
    for name, program in pairs({
        raw = "RAW_TRACEPOINT_PROBE(net_dev_queue) { return look((struct sk_buff *)ctx->args[0]); }",
        btf = [[SEC("tp_btf/net_dev_queue") int BPF_PROG(f, struct sk_buff *skb) { return look(skb); }]],
        tracepoint = "TRACEPOINT_PROBE(net, net_dev_queue) { return look((struct sk_buff *)args->skbaddr); }",
    }) do
        local b = open("#include <linux/ip.h>\n#include <linux/udp.h>\n#include <net/sock.h>\n" .. look .. program)
        ffi.C.sendto(socket, ("p"):rep(33), 33, 0, address, 16)
        t.equal(name .. ": " .. values(b, 8), name .. ": " .. wanted)
        b:cleanup()
    end
    ffi.C.close(socket)
end)

ffi.C.close(fd)
os.remove(PATH)
