-- SPDX-License-Identifier: Apache-2.0
-- Programs on control groups: each kind lets this process do something or forbids it, by a number in a map.

local t = require("harness")
local net = require("help.sockets")
local groups = require("help.cgroups")
os.execute("ip link set lo up 2>/dev/null")

local EPERM = 1
local group = groups.make("bpflua-test-" .. tostring(os.time()) .. "-" .. tostring(math.random(1e6)))

local b = BPF({
    text = [[
BPF_ARRAY(allow, u32, 1);
BPF_ARRAY(seen, u64, 8);
static int allowed(int slot) {
    int zero = 0;
    u32 *yes = allow.lookup(&zero);
    seen.increment(slot);
    return yes && *yes;
}
int on_packet(struct __sk_buff *skb) { return allowed(0); }
int on_create(struct bpf_sock *sk) { return allowed(1); }
SEC("cgroup/connect4") int on_connect(struct bpf_sock_addr *ctx) {
    return ctx->user_port == bpf_htons(1) ? 1 : allowed(2);
}
SEC("cgroup/sysctl") int on_sysctl(struct bpf_sysctl *ctx) { return allowed(3); }
SEC("cgroup/dev") int on_device(struct bpf_cgroup_dev_ctx *ctx) { return allowed(4); }
SEC("cgroup/getsockopt") int on_option(struct bpf_sockopt *ctx) {
    if (ctx->level == 1 && ctx->optname == 3) { // SOL_SOCKET, SO_TYPE
        int *value = ctx->optval;
        if ((void *)(value + 1) <= ctx->optval_end) { *value = 42; ctx->retval = 0; seen.increment(5); }
    }
    return 1;
}
int on_state(struct bpf_sock_ops *ctx) {
    if (ctx->op == BPF_SOCK_OPS_TCP_CONNECT_CB) seen.increment(6);
    return 1;
}
]],
})

local function seen(slot)
    return tonumber(b.seen[slot])
end

-- Runs `body` in the group twice: allowed, and forbidden; gives both results.
local function both(options, body)
    options.path = group
    t.equal(b:attach_cgroup(options), b)
    local probe = b:probes()[1]
    t.equal(probe.kind .. " " .. probe.mechanism, "cgroup link")
    b.allow[0] = 1
    local yes = groups.within(group, body)
    b.allow[0] = 0
    local no = groups.within(group, body)
    b:detach_cgroup({ path = group, fn_name = options.fn_name, type = options.type })
    t.equal(groups.within(group, body), yes)
    return yes, no
end

t.test("packets that leave, of a function that may be any kind", function()
    local yes, no = both({ fn_name = "on_packet", type = "egress" }, function()
        local _, errno = net.round_trip("x")
        return errno or 0
    end)
    t.equal(yes, 0)
    t.equal(no, EPERM)
    t.equal(seen(0) > 0, true)
end)

t.test("packets that come", function()
    local yes, no = both({ fn_name = "on_packet", type = "ingress" }, function()
        return net.round_trip("for the group") or "nothing"
    end)
    t.equal(yes, "for the group")
    t.equal(no, "nothing")
end)

t.test("sockets that are made", function()
    local yes, no = both({ fn_name = "on_create" }, function()
        local ok = pcall(function() net.C.close(net.tcp()) end)
        return ok
    end)
    t.equal(yes, true)
    t.equal(no, false)
end)

t.test("connections", function()
    local listener, port = net.listener()
    local yes, no = both({ fn_name = "on_connect" }, function()
        local fd = net.tcp()
        local errno = net.connect(fd, port)
        net.C.close(fd)
        return errno
    end)
    t.equal(yes, 0)
    t.equal(no, EPERM)
    net.C.close(listener)
end)

t.test("sysctls", function()
    local yes, no = both({ fn_name = "on_sysctl" }, function()
        local file = io.open("/proc/sys/kernel/ostype")
        local text = file and file:read("*l") or "forbidden"
        if file then
            file:close()
        end
        return text
    end)
    t.equal(yes, "Linux")
    t.equal(no, "forbidden")
end)

t.test("devices", function()
    local yes, no = both({ fn_name = "on_device", type = "dev" }, function()
        local file = io.open("/dev/zero")
        if file then
            file:close()
        end
        return file ~= nil
    end)
    t.equal(yes, true)
    t.equal(no, false)
end)

t.test("socket options", function()
    local ffi = require("ffi")
    -- A socket belongs to the group that made it.
    local function option()
        local fd = net.tcp()
        local value, length = ffi.new("int[1]"), ffi.new("uint32_t[1]", 4)
        assert(net.C.getsockopt(fd, 1, 3, value, length) == 0)
        net.C.close(fd)
        return value[0]
    end
    b:attach_cgroup({ fn_name = "on_option", path = group })
    t.equal(groups.within(group, option), 42)
    b:detach_cgroup({ fn_name = "on_option", path = group })
    t.equal(groups.within(group, option), 1)
end)

t.test("socket operations, as bcc attaches them", function()
    local fn = b:load_func("on_state", BPF.SOCK_OPS)
    BPF.attach_func(fn, group, BPF.BPFAttachType.CGROUP_SOCK_OPS)
    groups.within(group, function()
        local client, server = net.pair()
        net.C.close(client)
        net.C.close(server)
    end)
    t.equal(seen(6), 1)
    BPF.detach_func(fn, group, BPF.BPFAttachType.CGROUP_SOCK_OPS)
    groups.within(group, function()
        local client, server = net.pair()
        net.C.close(client)
        net.C.close(server)
    end)
    t.equal(seen(6), 1)
    t.contains(t.fails(BPF.detach_func, fn, group, "CGROUP_SOCK_OPS"), "it is not attached")
end)

t.test("flags that links do not have", function()
    local fn = b:load_func("on_packet", BPF.CGROUP_SKB)
    b.allow[0] = 1
    b:attach_func(fn, group, BPF.BPFAttachType.CGROUP_INET_EGRESS, 1)
    local probe = b:probes()[1]
    t.equal(probe.mechanism, "prog_attach")
    t.equal(probe.why[1], "link: flags 0x1 are not for links")
    local taken = t.fails(b.attach_cgroup, b, { fn_name = "on_packet", path = group, type = "egress" })
    t.contains(taken, "has a program that allows no other (EPERM)")
    t.contains(taken, "attached there with flags 1: program ")
    b:detach_func(fn, group, "CGROUP_INET_EGRESS")
    b:attach_cgroup({ fn_name = "on_packet", path = group, type = "egress" })
    b:detach_cgroup({ path = group, type = "egress" })
end)

t.test("what cannot be attached", function()
    local function fails(options)
        return t.fails(b.attach_cgroup, b, options)
    end
    t.contains(fails({ fn_name = "on_packet", path = "/tmp", type = "egress" }), "it is no control group of version 2")
    t.contains(fails({ fn_name = "on_packet", path = "/tmp", type = "egress" }), "hint: those are the folders below `")
    t.contains(fails({ fn_name = "on_packet", path = group .. "/none", type = "egress" }), "no such file or directory")
    t.contains(fails({ fn_name = "on_packet", path = group }), "its section `socket` does not say as what")
    t.contains(fails({ fn_name = "on_packet", path = group, type = "sideways" }), "no type of attachment `sideways`")
    t.contains(fails({ fn_name = "on_packet" }), "needs the option `path` or `fd`: none is given")
    t.contains(fails({ fn_name = "on_packet", fd = 9999, type = "egress" }), "9999 is no open descriptor (EBADF)")
    t.equal(#b:probes(), 0)
end)

groups.remove(group)
