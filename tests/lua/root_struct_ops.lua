-- SPDX-License-Identifier: Apache-2.0
-- Structs of functions that the kernel calls: congestion control of TCP, on real sockets.

local t = require("harness")
local ffi = require("ffi")
local sockets = require("help.sockets")
local C = sockets.C
ffi.cdef("int setsockopt(int fd, int level, int name, const void *value, uint32_t length);")
local IPPROTO_TCP, TCP_CONGESTION, ENOENT, EPERM = 6, 13, 2, 1

local TEXT = [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char _license[] SEC("license") = "GPL";
__u64 inits, port, window;

SEC("struct_ops/on_init")
void BPF_PROG(on_init, struct sock *sk)
{
	__sync_fetch_and_add(&inits, 1);
	port = sk->__sk_common.skc_num;
	window = ((struct tcp_sock *)sk)->snd_cwnd;
}

SEC("struct_ops")
__u32 BPF_PROG(threshold, struct sock *sk)
{
	__u32 half = ((struct tcp_sock *)sk)->snd_cwnd >> 1;
	return half > 2 ? half : 2;
}

SEC("struct_ops")
__u32 BPF_PROG(undo, struct sock *sk)
{
	return ((struct tcp_sock *)sk)->snd_cwnd;
}

SEC("struct_ops")
void BPF_PROG(avoid, struct sock *sk, __u32 ack, __u32 acked)
{
}

SEC("SECTION")
struct tcp_congestion_ops mine = {
	.init = (void *)on_init,
	.ssthresh = (void *)threshold,
	.undo_cwnd = (void *)undo,
	.cong_avoid = (void *)avoid,
	.name = "bpflua_NAME",
};
]]

local function text(section, name)
    return (TEXT:gsub("SECTION", section):gsub("NAME", name))
end

-- 0, or the errno of choosing a congestion control.
local function choose(fd, name)
    return C.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, #name) == 0 and 0 or ffi.errno()
end

local function chosen(fd)
    local value, length = ffi.new("char[16]"), ffi.new("uint32_t[1]", 16)
    assert(C.getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, value, length) == 0)
    return ffi.string(value)
end

local ok, first = pcall(BPF, { text = text(".struct_ops.link", "first") })
if not ok then
    assert(first.errno == EPERM, tostring(first))
    return t.skip("structs of functions", "this kernel refuses them")
end
local has_links = first:probes()[1].mechanism == "link"

t.test("a socket uses the functions", function()
    local client, server = sockets.pair()
    t.equal(choose(client, "bpflua_first"), 0)
    t.equal(chosen(client), "bpflua_first")
    t.equal(tonumber(first.vars.inits), 1)
    t.equal(tonumber(first.vars.port), sockets.port(client))
    assert(tonumber(first.vars.window) > 0)
    t.equal(sockets.send(client, "through it"), 10)
    t.equal(sockets.recv(server), "through it")
    C.close(client)
    C.close(server)
end)

t.test("what is attached", function()
    local probes = first:probes()
    t.equal(#probes, 1)
    t.equal(probes[1].kind, "struct_ops")
    t.equal(probes[1].target, "mine")
    t.equal(probes[1].resolved[1], "tcp_congestion_ops")
    for _, name in ipairs({ "on_init", "threshold", "undo", "avoid" }) do
        t.contains(probes[1].fn_name, name)
    end
    assert(has_links or probes[1].mechanism == "map_update", probes[1].mechanism)
    t.equal(first:attach_struct_ops({ name = "mine" }), first)
    t.equal(#first:probes(), 1)
end)

t.test("detached, it cannot be chosen; attached again, it can", function()
    local socket = sockets.tcp()
    t.equal(choose(socket, "bpflua_first"), 0)
    t.equal(first:detach_struct_ops("mine"), first)
    t.equal(#first:probes(), 0)
    -- The socket keeps what it has.
    t.equal(chosen(socket), "bpflua_first")
    local other = sockets.tcp()
    t.equal(choose(other, "bpflua_first"), ENOENT)
    t.contains(t.fails(first.detach_struct_ops, first, "mine"), "cannot detach struct_ops `mine`: it is not attached")
    C.close(socket)
    if has_links then
        first:attach_struct_ops({ name = "mine" })
        t.equal(choose(other, "bpflua_first"), 0)
    end
    C.close(other)
end)

t.test("without a link", function()
    local b = BPF{ text = text("?.struct_ops", "second") }
    t.equal(#b:probes(), 0)
    local socket = sockets.tcp()
    t.equal(choose(socket, "bpflua_second"), ENOENT)
    b:attach_struct_ops({ name = "mine" })
    t.equal(b:probes()[1].mechanism, "map_update")
    t.contains(b:probes()[1].notes[1], "SIGKILL")
    t.equal(choose(socket, "bpflua_second"), 0)
    C.close(socket)
    b:detach_struct_ops({ name = "mine" })
    local err = t.fails(b.attach_struct_ops, b, { name = "mine" })
    t.contains(err, "cannot attach struct_ops `mine`: it was attached before, and the kernel takes it once only")
    b:close()
end)

t.test("the end of an object detaches", function()
    local b = BPF{ text = text(".struct_ops", "third") }
    local socket = sockets.tcp()
    t.equal(choose(socket, "bpflua_third"), 0)
    C.close(socket)
    b:close()
    socket = sockets.tcp()
    t.equal(choose(socket, "bpflua_third"), ENOENT)
    C.close(socket)
end)

t.test("errors", function()
    -- Without links, it takes a new object.
    local again = has_links and first:attach_struct_ops("mine") or BPF{ text = text(".struct_ops.link", "first") }
    t.equal(#again:probes(), 1)
    local err = t.fails(BPF, { text = text(".struct_ops.link", "first") })
    t.contains(err, "cannot attach struct_ops `mine`: the kernel has a `struct tcp_congestion_ops` of this name already")
    t.contains(t.fails(first.attach_struct_ops, first, "mime"), "similar: mine")
    err = t.fails(BPF, { text = (text(".struct_ops.link", "fourth"):gsub("%.ssthresh[^\n]*", "")) })
    t.contains(err, "a member that it needs is not set")
    local b = BPF{ text = "int f(void *ctx) { return 0; }" }
    t.contains(t.fails(b.attach_struct_ops, b, "mine"), "the C text has no variable in the section `.struct_ops.link`")
    local alone = BPF{ text = '#include "vmlinux.h"\nSEC("struct_ops") int alone(__u64 *ctx) { return 0; }' }
    t.contains(t.fails(alone.load_func, alone, "alone"), "no variable of the C text has it as a member")
end)
