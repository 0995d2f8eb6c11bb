-- SPDX-License-Identifier: Apache-2.0
-- Maps that carry packets and messages: to devices and CPUs, from socket to socket.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef([[
struct in_address { uint16_t family; uint16_t port; uint8_t address[4]; uint8_t zero[8]; };
int socket(int domain, int type, int protocol);
int bind(int fd, const struct in_address *address, uint32_t length);
int listen(int fd, int backlog);
int accept(int fd, void *address, uint32_t *length);
int connect(int fd, const struct in_address *address, uint32_t length);
int getsockname(int fd, struct in_address *address, uint32_t *length);
int setsockopt(int fd, int level, int name, const void *value, uint32_t length);
ssize_t send(int fd, const void *data, size_t length, int flags);
ssize_t recv(int fd, void *data, size_t length, int flags);
int close(int fd);
]])

local C = ffi.C
local AF_INET, SOCK_STREAM, SOL_SOCKET, SO_RCVTIMEO = 2, 1, 1, 20

local function ok(value)
    if value < 0 then
        error("errno " .. ffi.errno(), 2)
    end
    return value
end

-- Two connected sockets over the loopback device, and the listener's.
local function connected()
    local listener = ok(C.socket(AF_INET, SOCK_STREAM, 0))
    local address = ffi.new("struct in_address", { family = AF_INET, address = { 127, 0, 0, 1 } })
    local length = ffi.new("uint32_t[1]", ffi.sizeof(address))
    ok(C.bind(listener, address, ffi.sizeof(address)))
    ok(C.listen(listener, 4))
    ok(C.getsockname(listener, address, length))
    local client = ok(C.socket(AF_INET, SOCK_STREAM, 0))
    ok(C.connect(client, address, ffi.sizeof(address)))
    local server = ok(C.accept(listener, nil, nil))
    C.close(listener)
    local timeout = ffi.new("int64_t[2]", 2, 0)
    for _, fd in ipairs({ client, server }) do
        ok(C.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, 16))
    end
    return client, server
end

local function receive(fd)
    local buffer = ffi.new("char[64]")
    local got = C.recv(fd, buffer, 64, 0)
    return got >= 0 and ffi.string(buffer, got) or ("errno " .. ffi.errno())
end

t.test("a message is redirected through a socket hash and a socket map", function()
    local b = BPF({ text = [[
BPF_SOCKHASH(by_name, u64, 16);
BPF_SOCKMAP(by_index, 4);
BPF_ARRAY(seen, u64, 2);
SEC("sk_msg") int to_hash(struct sk_msg_md *msg) {
    u64 key = 77;
    seen.increment(0);
    return by_name.msg_redirect_hash(msg, &key, BPF_F_INGRESS);
}
SEC("sk_msg") int to_map(struct sk_msg_md *msg) {
    seen.increment(1);
    return by_index.msg_redirect_map(msg, 2, BPF_F_INGRESS);
}]] })
    local client, server = connected()
    local other_client, other_server = connected()
    -- A socket gets the map's programs when it comes into the map.
    b:attach_sockmap({ fn_name = "to_hash", map = "by_name" })
    b.by_name[1] = client
    b.by_name[77] = other_server
    ok(C.send(client, "hello", 5, 0))
    t.equal(receive(other_server), "hello")
    t.equal(b.seen[0], 1ULL)
    b:detach_sockmap({ fn_name = "to_hash", map = "by_name" })
    b.by_name[1] = nil
    b.by_name[77] = nil
    ok(C.send(client, "direct", 6, 0))
    t.equal(receive(server), "direct")

    b:attach_sockmap({ fn_name = "to_map", map = "by_index" })
    b.by_index[0] = client
    b.by_index[2] = other_client
    ok(C.send(client, "again", 5, 0))
    t.equal(receive(other_client), "again")
    t.equal(b.seen[1], 1ULL)
    b:detach_sockmap({ fn_name = "to_map", map = "by_index" })
    for _, fd in ipairs({ client, server, other_client, other_server }) do
        C.close(fd)
    end
    t.contains(t.fails(function() b.by_index[0] = 9999 end), "9999 is no file descriptor of a socket (EBADF)")
    t.contains(t.fails(function() b.by_index[0] = b.seen end), "a map of type sockmap holds sockets")
end)

t.test("what a socket receives is redirected", function()
    local b = BPF({ text = [[
BPF_SOCKMAP(sockets, 4);
BPF_SOCKHASH(names, u32, 4);
SEC("sk_skb/stream_verdict") int by_map(struct __sk_buff *skb) {
    return sockets.sk_redirect_map(skb, 1, 0);
}
SEC("sk_skb/stream_verdict") int by_hash(struct __sk_buff *skb) {
    u32 key = 5;
    return names.sk_redirect_hash(skb, &key, 0);
}]] })
    local client, server = connected()
    local other_client, other_server = connected()
    b:attach_sockmap({ fn_name = "by_map", map = b.sockets })
    b.sockets[0], b.sockets[1] = server, other_server
    ok(C.send(client, "through", 7, 0))
    t.equal(receive(other_client), "through")
    t.equal(b:load_func("by_hash").fd > 0, true)
    b:detach_sockmap({ fn_name = "by_map", map = b.sockets })
    for _, fd in ipairs({ client, server, other_client, other_server }) do
        C.close(fd)
    end
end)

t.test("sockets put themselves into a map when they connect", function()
    local root = io.open("/sys/fs/cgroup/cgroup.procs") and "/sys/fs/cgroup" or "/sys/fs/cgroup/unified"
    if not io.open(root .. "/cgroup.procs") then
        return print("skipped: no cgroup2 here")
    end
    local b = BPF({ text = [[
BPF_SOCKHASH(names, u32, 16);
BPF_SOCKMAP(sockets, 16);
BPF_ARRAY(results, int, 2);
SEC("sockops") int established(struct bpf_sock_ops *ops) {
    if (ops->op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB || ops->remote_ip4 != bpf_htonl(0x7f000001))
        return 1;
    u32 port = ops->local_port, index = 3;
    int i = 0, got = names.sock_hash_update(ops, &port, BPF_ANY);
    results.update(&i, &got);
    i = 1, got = sockets.sock_map_update(ops, &index, BPF_ANY);
    results.update(&i, &got);
    return 1;
}]] })
    b.results[0], b.results[1] = 1, 1
    b:attach_cgroup({ fn_name = "established", path = root, type = "sockops" })
    local client, server = connected()
    b:detach_cgroup({ fn_name = "established", path = root, type = "sockops" })
    t.equal(b.results[0], 0)
    t.equal(b.results[1], 0)
    local address, length = ffi.new("struct in_address"), ffi.new("uint32_t[1]", 16)
    ok(C.getsockname(client, address, length))
    local port = bit.bor(bit.lshift(bit.band(address.port, 255), 8), bit.rshift(address.port, 8))
    t.equal(b.names:delete(port), true)
    t.equal(b.sockets:delete(3), true)
    C.close(client)
    C.close(server)
end)

t.test("a packet goes to where the map says, else to what the flags say", function()
    local b = BPF({ text = [[
BPF_DEVMAP(devices, 4);
BPF_CPUMAP(cpus, 4);
BPF_XSKMAP(sockets, 4);
BPF_ARRAY(index, int, 1);
static int where(void) {
    int zero = 0, *found = index.lookup(&zero);
    return found ? *found : 0;
}
SEC("xdp") int to_device(struct xdp_md *ctx) { return devices.redirect_map(where(), XDP_PASS); }
SEC("xdp") int to_cpu(struct xdp_md *ctx) { return cpus.redirect_map(where(), XDP_DROP); }
SEC("xdp") int to_socket(struct xdp_md *ctx) { return sockets.redirect_map(where(), XDP_TX); }
SEC("xdp") int look(struct xdp_md *ctx) {
    int key = where();
    return devices.lookup(&key) ? XDP_REDIRECT : XDP_PASS;
}]] })
    local XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT = 1, 2, 3, 4
    local function run(name)
        return b:test_run({ fn_name = name, data_in = ("\0"):rep(64) }).retval
    end
    b.devices[2], b.cpus[0] = 1, 128
    t.contains(t.fails(function() b.cpus[4] = 128 end), "map `cpus`")
    t.equal(b.cpus[0], 128)
    b.index[0] = 0
    t.equal(run("to_cpu"), XDP_REDIRECT)
    b.index[0] = 2
    t.equal(run("to_device"), XDP_REDIRECT)
    t.equal(run("look"), XDP_REDIRECT)
    t.equal(run("to_socket"), XDP_TX)
    b.index[0] = 1
    t.equal(run("to_device"), XDP_PASS)
    t.equal(run("look"), XDP_PASS)
    t.equal(run("to_cpu"), XDP_DROP)
    b.devices[2] = nil
    b.index[0] = 2
    t.equal(run("to_device"), XDP_PASS)
end)
