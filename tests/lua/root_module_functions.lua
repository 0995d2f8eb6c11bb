-- SPDX-License-Identifier: Apache-2.0
-- Functions of kernel modules that programs call (kfuncs): connection tracking's. A program puts a connection into the
-- kernel's table and finds it again; the kernel's own count of connections tells that it is there.

local t = require("harness")
local ffi = require("ffi")
local modules = require("help.modules")
local programs = require("help.programs")

local NEEDS = { "bpf_xdp_ct_alloc", "bpf_xdp_ct_lookup", "bpf_ct_insert_entry" }

local TEXT = [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

struct nf_conn *bpf_xdp_ct_alloc(struct xdp_md *, struct bpf_sock_tuple *, u32, struct bpf_ct_opts *, u32) __ksym;
struct nf_conn *bpf_ct_insert_entry(struct nf_conn___init *) __ksym;
void bpf_ct_set_timeout(struct nf_conn___init *, u32) __ksym;
void bpf_ct_release(struct nf_conn *) __ksym;
extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *, struct bpf_sock_tuple *, u32, struct bpf_ct_opts *, u32) __ksym;
int nobody_has_this_function(int) __ksym __weak;
void bpf_rcu_read_lock(void) __ksym __weak;

int error, inserted;
u32 source, protocol, port;
bool weak_known, weak_unknown, kernel_known;

static void describe(struct bpf_sock_tuple *tuple, struct bpf_ct_opts *opts)
{
	tuple->ipv4.saddr = bpf_htonl(0x0a000001);
	tuple->ipv4.daddr = bpf_htonl(0x0a000002);
	tuple->ipv4.sport = bpf_htons(1111);
	tuple->ipv4.dport = bpf_htons(2222);
	opts->netns_id = -1;
	opts->l4proto = IPPROTO_UDP;
}

SEC("xdp") int insert(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_ct_opts___small { s32 netns_id; s32 error; u8 l4proto; u8 dir; u8 reserved[2]; } opts = {};
	struct nf_conn *kept;
	void *fresh;

	describe(&tuple, (void *)&opts);
	fresh = bpf_xdp_ct_alloc(ctx, &tuple, sizeof(tuple.ipv4), (void *)&opts, sizeof(opts));
	error = opts.error;
	if (!fresh)
		return XDP_DROP;
	bpf_ct_set_timeout(fresh, 60000);
	kept = bpf_ct_insert_entry(fresh);
	if (!kept)
		return XDP_DROP;
	inserted = 1;
	bpf_ct_release(kept);
	return XDP_PASS;
}

SEC("xdp") int find(struct xdp_md *ctx)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_ct_opts___small { s32 netns_id; s32 error; u8 l4proto; u8 dir; u8 reserved[2]; } opts = {};
	struct nf_conn *found;

	weak_known = bpf_ksym_exists(bpf_xdp_ct_lookup);
	weak_unknown = bpf_ksym_exists(nobody_has_this_function);
	kernel_known = bpf_ksym_exists(bpf_rcu_read_lock);
	describe(&tuple, (void *)&opts);
	found = bpf_xdp_ct_lookup(ctx, &tuple, sizeof(tuple.ipv4), (void *)&opts, sizeof(opts));
	error = opts.error;
	if (!found)
		return XDP_DROP;
	source = found->tuplehash[0].tuple.src.u3.ip;
	port = found->tuplehash[0].tuple.dst.u.udp.port;
	protocol = found->tuplehash[0].tuple.dst.protonum;
	bpf_ct_release(found);
	return XDP_PASS;
}
]]

local function connections()
    local file = assert(io.open("/proc/sys/net/netfilter/nf_conntrack_count"))
    local count = file:read("*n")
    file:close()
    return count
end

local installed = io.popen("ls /lib/modules/$(uname -r)/kernel/net/netfilter/nf_conntrack.ko* 2>/dev/null"):read("*l")
local why_not_unloaded = not installed and "no kernel module `nf_conntrack` is installed"
    or modules.has_btf("nf_conntrack") and "`nf_conntrack` is loaded"

t.test_unless(why_not_unloaded, "the module is not loaded", function()
    local err = t.fails(BPF, { text = [[
struct nf_conn;
void bpf_ct_release(struct nf_conn *) __ksym;
SEC("xdp") int f(struct xdp_md *ctx) { bpf_ct_release(0); return 0; }]] })
    if err:find("nf_conntrack", 1, true) then
        t.contains(err, "this kernel has no `bpf_ct_release`")
        t.contains(err, "kernel module `nf_conntrack`, which is not loaded, has it: `modprobe nf_conntrack`")
    else
        -- Before 5.18 it has no such function.
        t.contains(err, "this kernel has no `bpf_ct_release`")
    end
end)

local bpflua = io.popen("readlink /proc/$PPID/exe"):read("*l")

-- The file packed as other distributions pack it, in place of all others in the folder.
local PACKED = [[unshare --mount sh -ec '
unpack() { case "$1" in *.xz) xz -dc "$1" ;; *.zst) zstd -qdc "$1" ;; *.gz) gzip -dc "$1" ;; *) cat "$1" ;; esac; }
unpack %s > "$1/nf_conntrack.ko"
%s < "$1/nf_conntrack.ko" > "$1/packed"
mount -t tmpfs none /lib/modules/$(uname -r)
cp "$1/packed" /lib/modules/$(uname -r)/nf-conntrack.ko%s
exec %s "$1/lost.lua"' sh %s 2>&1]]

for ending, packer in pairs({ [".gz"] = "gzip -c", [".zst"] = "zstd -qc", [".xz"] = "xz -c" }) do
    local name = packer:match("%a+")
    local why_not = why_not_unloaded or not BPF.find_exe(name) and ("there is no program `%s`"):format(name)
    t.test_unless(why_not, "a module packed as `.ko" .. ending .. "`", function()
        local folder = programs.folder()
        local file = assert(io.open(folder .. "/lost.lua", "w"))
        file:write('BPF{ text = "int f(struct pt_regs *ctx, struct nf_conntrack_net *p) { return p->count; }" }')
        file:close()
        local pipe = io.popen(PACKED:format(installed, packer, ending, bpflua, folder))
        local said = pipe:read("*a")
        pipe:close()
        t.contains(said, "kernel module `nf_conntrack`, which is not loaded, has it: `modprobe nf_conntrack`")
        programs.run("rm -r " .. folder)
    end)
end

modules.load("crc32c_generic", "libcrc32c", "nf_defrag_ipv4", "nf_defrag_ipv6", "nf_conntrack")

local lacking = not modules.has_btf("nf_conntrack") and "no kernel module `nf_conntrack` with types"
for _, name in ipairs(NEEDS) do
    lacking = lacking or modules.module_lacks("nf_conntrack", name)
end

t.test_unless(lacking, "a connection is put in and found", function()
    local b = BPF({ text = TEXT })
    local function run(name)
        return b:test_run({ fn_name = name, data_in = ("\0"):rep(64) }).retval
    end
    local before = connections()
    t.equal(run("find"), 1)
    t.equal(tonumber(b.vars.error), -2)
    t.equal(run("insert"), 2)
    t.equal(tonumber(b.vars.inserted), 1)
    t.equal(connections(), before + 1)
    t.equal(run("find"), 2)
    local bytes = ffi.new("uint32_t[1]", b.vars.source)
    t.equal(ffi.string(bytes, 4), "\10\0\0\1")
    local port = ffi.new("uint16_t[1]", b.vars.port)
    t.equal(ffi.string(port, 2), "\8\174")
    t.equal(tonumber(b.vars.protocol), 17)
    t.equal(b.vars.weak_known, true)
    t.equal(b.vars.weak_unknown, false)
    b:cleanup()
end)
