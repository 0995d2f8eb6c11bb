-- SPDX-License-Identifier: Apache-2.0
-- Packets sent elsewhere, over real devices: three network namespaces joined by veth pairs, XDP and traffic control on the
-- middle one. And what sockets send and receive, led to other sockets.

local t = require("harness")
local ffi = require("ffi")
local modules = require("help.modules")
local net = require("help.sockets")
ffi.cdef([[
int getpid(void);
int unshare(int flags);
int setns(int fd, int type);
int open(const char *path, int flags, int mode);
int setsockopt(int fd, int level, int name, const void *value, unsigned length);
ssize_t sendto(int fd, const void *data, size_t size, int flags, const void *address, unsigned length);
]])

local C, PID = ffi.C, ffi.C.getpid()
local NEWNET = 0x40000000
modules.load("veth", "sch_ingress", "cls_bpf")
os.execute("ip link set lo up 2>/dev/null")

-- ---------------------------------------------------------------- devices

-- Left - middle - right: two pairs; this process is in the middle.
local function namespaces()
    local home = C.open("/proc/self/ns/net", 0, 0)
    local spaces = {}
    for _, name in ipairs({ "middle", "left", "right" }) do
        if C.unshare(NEWNET) ~= 0 then
            return nil
        end
        os.execute("ip link set lo up")
        spaces[name] = C.open("/proc/self/ns/net", 0, 0)
    end
    return spaces, home
end

local function of_command(command)
    local pipe = assert(io.popen(command))
    local text = pipe:read("*a"):gsub("%s+$", "")
    pipe:close()
    return text
end

local function within(space, body, ...)
    assert(C.setns(space, NEWNET) == 0, "setns")
    return body(...)
end

local spaces, home = namespaces()

local function set_up()
    assert(C.setns(spaces.middle, NEWNET) == 0)
    for name, number in pairs({ left = 1, right = 2 }) do
        local made = os.execute(("ip link add to_%s type veth peer name out netns /proc/%d/fd/%d 2>/dev/null"):format(name, PID, spaces[name]))
        if made ~= 0 and made ~= true then
            return nil
        end
        os.execute(("ip link set to_%s up"):format(name))
        within(spaces[name], os.execute, ("ip addr add 10.77.0.%d/24 dev out && ip link set out up"):format(number))
        C.setns(spaces.middle, NEWNET)
    end
    local macs = {}
    for _, name in ipairs({ "left", "right" }) do
        macs[name] = within(spaces[name], of_command, "cat /sys/class/net/out/address 2>/dev/null || ip -o link show out | sed 's/.*ether \\([0-9a-f:]*\\).*/\\1/'")
    end
    within(spaces.left, os.execute, "ip neigh replace 10.77.0.2 lladdr " .. macs.right .. " dev out")
    within(spaces.right, os.execute, "ip neigh replace 10.77.0.1 lladdr " .. macs.left .. " dev out")
    C.setns(spaces.middle, NEWNET)
    local function index(name)
        return tonumber(of_command("ip -o link show " .. name):match("^(%d+):"))
    end
    return { left = index("to_left"), right = index("to_right") }
end

local indices = spaces and set_up()
local reason = not indices and "no network namespaces joined by veth pairs can be made here"

-- A socket on the left, whose datagrams have no checksum: XDP would lose that the device was to make one.
local function sender_on_the_left()
    local fd = within(spaces.left, function()
        return C.socket(2, 2 + 0x80000, 0)
    end)
    local SOL_SOCKET, SO_NO_CHECK = 1, 11
    assert(C.setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, ffi.new("int[1]", 1), 4) == 0, "SO_NO_CHECK")
    C.setns(spaces.middle, NEWNET)
    return fd
end

-- Sends a datagram from the left to the right; the text that arrives there, or nothing.
local function across(text)
    local receiver = within(spaces.right, net.udp_at, "10.77.0.2", 4477)
    local sender = sender_on_the_left()
    local address = net.address(4477)
    address.address[0], address.address[1], address.address[3] = 10, 77, 2
    local got
    for _ = 1, 50 do
        C.sendto(sender, text, #text, 0, address, 16)
        BPF.sleep(0.02)
        got = net.recv(receiver)
        if got then
            break
        end
    end
    C.close(sender)
    C.close(receiver)
    return got
end

local XDP = [[
BPF_DEVMAP(devices, 8);
BPF_CPUMAP(cpus, 8);
BPF_XSKMAP(sockets, 8);
BPF_ARRAY(seen, u64, 8);
BPF_ARRAY(target, u32, 1);
SEC("xdp") int by_devmap(struct xdp_md *ctx) { seen.increment(0); return devices.redirect_map(3, XDP_DROP); }
SEC("xdp") int by_index(struct xdp_md *ctx) {
    int zero = 0;
    u32 *to = target.lookup(&zero);
    seen.increment(1);
    return to ? bpf_redirect(*to, 0) : XDP_DROP;
}
SEC("xdp") int by_cpumap(struct xdp_md *ctx) { seen.increment(2); return cpus.redirect_map(0, XDP_DROP); }
SEC("xdp") int by_xskmap(struct xdp_md *ctx) {
    int queue = ctx->rx_queue_index;
    seen.increment(3);
    if (sockets.lookup(&queue))
        return sockets.redirect_map(queue, XDP_DROP);
    return sockets.redirect_map(queue, XDP_PASS);
}
SEC("xdp") int pass(struct xdp_md *ctx) { seen.increment(4); return XDP_PASS; }
SEC("tc") int by_tc(struct __sk_buff *skb) {
    int zero = 0;
    u32 *to = target.lookup(&zero);
    seen.increment(5);
    return to ? bpf_redirect(*to, 0) : TC_ACT_SHOT;
}
SEC("tc") int by_clone(struct __sk_buff *skb) {
    int zero = 0;
    u32 *to = target.lookup(&zero);
    seen.increment(6);
    if (to) bpf_clone_redirect(skb, *to, 0);
    return TC_ACT_SHOT;
}
]]

local function devices(what, body)
    t.test_unless(reason, what, function()
        C.setns(spaces.middle, NEWNET)
        local b = BPF({ text = XDP })
        b.target[0] = indices.right
        body(b)
        b:cleanup()
        -- Nothing leads from left to right by itself.
    end)
end

-- veth hands frames of XDP on only to a peer that runs a program itself.
local function with_peer(b, body)
    within(spaces.right, function() b:attach_xdp({ dev = "out", fn_name = "pass" }) end)
    C.setns(spaces.middle, NEWNET)
    body()
end

devices("nothing arrives by itself", function()
    local receiver = within(spaces.right, net.udp_at, "10.77.0.2", 4478)
    C.setns(spaces.middle, NEWNET)
    BPF.sleep(0.1)
    t.equal(net.recv(receiver), nil)
    C.close(receiver)
end)

devices("XDP through a map of devices", function(b)
    with_peer(b, function()
        b.devices[3] = indices.right
        b:attach_xdp({ dev = "to_left", fn_name = "by_devmap" })
        t.equal(across("by a map of devices"), "by a map of devices")
        assert(b.seen[0] > 0 and b.seen[4] > 0, "both programs ran")
    end)
end)

devices("XDP by the number of a device", function(b)
    with_peer(b, function()
        b:attach_xdp({ dev = "to_left", fn_name = "by_index" })
        t.equal(across("by number"), "by number")
        assert(b.seen[1] > 0)
    end)
end)

devices("XDP through a map of processors, then the stack", function(b)
    b.cpus[0] = 192
    os.execute("sysctl -qw net.ipv4.ip_forward=1 2>/dev/null || echo 1 > /proc/sys/net/ipv4/ip_forward")
    b:attach_xdp({ dev = "to_left", fn_name = "by_cpumap" })
    os.execute("ip addr add 10.77.0.2/32 dev lo")
    -- The middle takes the address itself: what the processor hands to the stack arrives here.
    local mac = of_command("ip -o link show to_left"):match("ether (%S+)")
    within(spaces.left, os.execute, "ip neigh replace 10.77.0.2 lladdr " .. mac .. " dev out")
    C.setns(spaces.middle, NEWNET)
    os.execute("ip route add 10.77.0.1 dev to_left")
    local receiver = net.udp_at("10.77.0.2", 4479)
    local sender = sender_on_the_left()
    local address = net.address(4479)
    address.address[0], address.address[1], address.address[3] = 10, 77, 2
    local got
    net.until_true("a datagram arrives", function()
        C.sendto(sender, "by a processor", 14, 0, address, 16)
        got = net.recv(receiver)
        return got ~= nil
    end)
    t.equal(got, "by a processor")
    assert(b.seen[2] > 0)
    C.close(sender)
    C.close(receiver)
    os.execute("ip addr del 10.77.0.2/32 dev lo; ip route del 10.77.0.1 dev to_left")
    local right = within(spaces.right, of_command, "ip -o link show out"):match("ether (%S+)")
    within(spaces.left, os.execute, "ip neigh replace 10.77.0.2 lladdr " .. right .. " dev out")
    C.setns(spaces.middle, NEWNET)
end)

devices("XDP through a map of AF_XDP sockets that is empty, and one that is not", function(b)
    b:attach_xdp({ dev = "to_left", fn_name = "by_xskmap" })
    local sender = sender_on_the_left()
    local address = net.address(4480)
    address.address[0], address.address[1], address.address[3] = 10, 77, 2
    net.until_true("the program runs", function()
        C.sendto(sender, "x", 1, 0, address, 16)
        return b.seen[3] > 0
    end)
    t.contains(t.fails(function() b.sockets[0] = sender end), "AF_XDP")
    C.close(sender)
end)

devices("traffic control by the number of a device, and a clone", function(b)
    for _, fn_name in ipairs({ "by_tc", "by_clone" }) do
        b:attach_tc({ dev = "to_left", fn_name = fn_name, direction = "ingress" })
        t.equal(across(fn_name), fn_name)
        b:detach_tc({ dev = "to_left", fn_name = fn_name, direction = "ingress" })
    end
    assert(b.seen[5] > 0 and b.seen[6] > 0)
end)

if home then
    C.setns(home, NEWNET)
end

-- ---------------------------------------------------------------- sockets

local SOCKETS = [[
struct pair_t { u32 port; u16 kind; } __attribute__((packed));
BPF_SOCKHASH(by_name, struct pair_t, 16);
BPF_SOCKMAP(by_index, 16);
BPF_ARRAY(seen, u64, 8);
BPF_ARRAY(results, int, 4);
static void note(int slot, u64 add) { u64 *sum = seen.lookup(&slot); if (sum) __sync_fetch_and_add(sum, add); }
SEC("sk_msg") int message_by_hash(struct sk_msg_md *msg) {
    struct pair_t key = { .port = msg->local_port, .kind = 1 };
    note(0, msg->size);
    return by_name.msg_redirect_hash(msg, &key, 0);
}
SEC("sk_msg") int message_by_map(struct sk_msg_md *msg) { note(1, msg->size); return by_index.msg_redirect_map(msg, 5, BPF_F_INGRESS); }
SEC("sk_skb/stream_verdict") int data_by_hash(struct __sk_buff *skb) {
    struct pair_t key = { .port = skb->local_port, .kind = 2 };
    note(2, skb->len);
    return by_name.sk_redirect_hash(skb, &key, BPF_F_INGRESS);
}
SEC("sk_skb/stream_verdict") int data_by_map(struct __sk_buff *skb) { note(3, skb->len); return by_index.sk_redirect_map(skb, 6, 0); }
]]

local function received(fd)
    local got
    net.until_true("it arrives", function()
        got = net.recv(fd)
        return got ~= nil
    end)
    return got
end

local function with_pairs(what, body)
    t.test(what, function()
        local b = BPF({ text = SOCKETS })
        local a, a_peer = net.pair()
        local c, c_peer = net.pair()
        body(b, a, a_peer, c, c_peer)
        b:cleanup()
        for _, fd in ipairs({ a, a_peer, c, c_peer }) do
            C.close(fd)
        end
    end)
end

with_pairs("msg_redirect_hash: what one sends goes out at another", function(b, a, a_peer, c, c_peer)
    b:attach_sockmap({ fn_name = "message_by_hash", map = "by_name" })
    local port = net.port(a)
    b.by_name[{ port = port, kind = 0 }] = a
    b.by_name[{ port = port, kind = 1 }] = c
    t.equal(net.send(a, "sent by c"), 9)
    t.equal(received(c_peer), "sent by c")
    t.equal(net.recv(a_peer), nil)
    t.equal(tonumber(b.seen[0]), 9)
end)

with_pairs("msg_redirect_map: what one sends comes in at another", function(b, a, a_peer, c, c_peer)
    b:attach_sockmap({ fn_name = "message_by_map", map = "by_index" })
    b.by_index[0], b.by_index[5] = a, c
    t.equal(net.send(a, "comes in at c"), 13)
    t.equal(received(c), "comes in at c")
    t.equal(net.recv(a_peer), nil)
    t.equal(net.recv(c_peer), nil)
    t.equal(tonumber(b.seen[1]), 13)
end)

with_pairs("sk_redirect_hash: what one receives comes in at another", function(b, a, a_peer, c)
    b:attach_sockmap({ fn_name = "data_by_hash", map = "by_name" })
    local port = net.port(a_peer)
    b.by_name[{ port = port, kind = 9 }] = a_peer
    b.by_name[{ port = port, kind = 2 }] = c
    net.send(a, "for a peer, got by c")
    t.equal(received(c), "for a peer, got by c")
    t.equal(net.recv(a_peer), nil)
    t.equal(tonumber(b.seen[2]), 20)
end)

with_pairs("sk_redirect_map: what one receives goes out at another", function(b, a, a_peer, c, c_peer)
    b:attach_sockmap({ fn_name = "data_by_map", map = "by_index" })
    b.by_index[0], b.by_index[6] = a_peer, c
    net.send(a, "out at c")
    t.equal(received(c_peer), "out at c")
    t.equal(net.recv(a_peer), nil)
    t.equal(tonumber(b.seen[3]), 8)
end)
