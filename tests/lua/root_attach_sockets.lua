-- SPDX-License-Identifier: Apache-2.0
-- Programs on the data of sockets in a map, and on a network namespace's choice of sockets.

local t = require("harness")
local net = require("help.sockets")
os.execute("ip link set lo up 2>/dev/null")

local EACCES, ECONNREFUSED = 13, 111

local b = BPF({
    text = [[
BPF_SOCKMAP(senders, 4);
BPF_SOCKMAP(receivers, 4);
BPF_ARRAY(verdict, u32, 1);
BPF_ARRAY(seen, u64, 4);
static int decide(int slot, u64 add) {
    int zero = 0;
    u64 *sum = seen.lookup(&slot);
    if (sum) __sync_fetch_and_add(sum, add);
    u32 *v = verdict.lookup(&zero);
    return v ? *v : SK_PASS;
}
int on_message(struct sk_msg_md *msg) { return decide(0, msg->size); }
int on_data(struct __sk_buff *skb) { return decide(1, skb->len); }
int on_lookup(struct bpf_sk_lookup *ctx) {
    int zero = 0;
    u32 *port = verdict.lookup(&zero);
    if (!port || ctx->local_port != *port) return SK_PASS;
    decide(2, 1);
    return SK_DROP;
}
SEC("flow_dissector") int dissect(struct __sk_buff *skb) { return BPF_OK; }
]],
})

local SK_DROP, SK_PASS = 0, 1

local function seen(slot)
    return tonumber(b.seen[slot])
end

t.test("what is sent through sockets of a map", function()
    t.equal(b:attach_sockmap({ fn_name = "on_message", map = "senders" }), b)
    local probe = b:probes()[1]
    t.equal(probe.kind .. ": " .. probe.target, "sockmap: sk_msg_verdict of map `senders`")
    local client, server = net.pair()
    b.senders[0] = client
    b.verdict[0] = SK_PASS
    t.equal(net.send(client, "twelve bytes"), 12)
    t.equal(seen(0), 12)
    net.until_true("it arrives", function() return net.recv(server) == "twelve bytes" end)
    b.verdict[0] = SK_DROP
    local sent, errno = net.send(client, "forbidden")
    t.equal(sent, nil)
    t.equal(errno, EACCES)
    b:detach_sockmap({ map = b.senders, fn_name = "on_message" })
    net.C.close(client)
    net.C.close(server)
    t.equal(#b:probes(), 0)
end)

t.test("what sockets of a map receive, as bcc attaches it", function()
    local fn = b:load_func("on_data", BPF.SK_SKB)
    BPF.attach_func(fn, b.receivers:get_fd(), BPF.BPFAttachType.SK_SKB_STREAM_VERDICT)
    t.equal(b:probes()[1].target, "sk_skb_stream_verdict of map `receivers`")
    local client, server = net.pair()
    b.receivers[0] = server
    b.verdict[0] = SK_PASS
    net.send(client, "seven b")
    net.until_true("it arrives", function() return net.recv(server) == "seven b" end)
    t.equal(seen(1), 7)
    b.verdict[0] = SK_DROP
    net.send(client, "four")
    net.until_true("it is seen", function() return seen(1) == 11 end)
    t.equal(net.recv(server), nil)
    BPF.detach_func(fn, b.receivers, BPF.BPFAttachType.SK_SKB_STREAM_VERDICT)
    net.C.close(client)
    net.C.close(server)
end)

t.test("which socket a connection is for", function()
    t.equal(b:attach_netns({ fn_name = "on_lookup" }), b)
    local probe = b:probes()[1]
    t.equal(probe.kind .. " " .. probe.mechanism .. ": " .. probe.target, "netns link: sk_lookup of `/proc/self/ns/net`")
    local listener, port = net.listener()
    local function connect()
        local fd = net.tcp()
        local errno = net.connect(fd, port)
        net.C.close(fd)
        return errno
    end
    b.verdict[0] = 0
    t.equal(connect(), 0)
    b.verdict[0] = port
    t.equal(connect(), ECONNREFUSED)
    t.equal(seen(2), 1)
    b:detach_netns({ fn_name = "on_lookup" })
    t.equal(connect(), 0)
    net.C.close(listener)
end)

t.test("the dissection of packets", function()
    b:attach_netns({ fn_name = "dissect", path = "/proc/self/ns/net" })
    t.equal(b:probes()[1].target, "flow_dissector of `/proc/self/ns/net`")
    t.contains(t.fails(b.attach_netns, b, { fn_name = "dissect" }), "another program is attached there already")
    b:detach_netns({ type = "flow_dissector" })
    t.equal(#b:probes(), 0)
end)

t.test("what cannot be attached", function()
    t.contains(t.fails(b.attach_sockmap, b, { fn_name = "on_message", map = "verdict" }), "it is no map of sockets")
    t.contains(t.fails(b.attach_sockmap, b, { fn_name = "on_message", map = "sender" }), "senders")
    t.contains(t.fails(b.attach_sockmap, b, { fn_name = "on_data", map = "receivers" }), "does not say as what")
    t.contains(t.fails(b.attach_netns, b, { fn_name = "on_lookup", path = "/tmp" }), "it is no network namespace")
    t.contains(t.fails(b.attach_netns, b, { fn_name = "on_lookup", pid = 1, fd = 3 }), "just one of them")
    t.contains(t.fails(BPF.attach_func, b:load_func("on_lookup"), 0, "TRACE_FENTRY"), "not attached to a descriptor in this way")
end)
