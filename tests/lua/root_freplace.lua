-- SPDX-License-Identifier: Apache-2.0
-- Functions in the place of another program's: what the program returns says which ran.

local t = require("harness")

local TARGET = [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";

__noinline int verdict(struct xdp_md *ctx, int factor)
{
	return factor * 2;
}

SEC("xdp") int judges(struct xdp_md *ctx)
{
	return verdict(ctx, 21);
}
]]

local TRIPLES = [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char _license[] SEC("license") = "GPL";
__u64 runs, length;

SEC("freplace/verdict") int triples(struct xdp_md *ctx, int factor)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__sync_fetch_and_add(&runs, 1);
	length = end - data;
	return factor * 3;
}

SEC("freplace") int drops(struct xdp_md *ctx)
{
	return 1;
}

SEC("freplace/verdict") int other(struct xdp_md *ctx, long factor, int more)
{
	return 0;
}
]]

local packet = ("x"):rep(60)
local target = BPF{ text = TARGET }

local function result()
    return target:test_run({ fn_name = "judges", data_in = packet }).retval
end
t.equal(result(), 42)

local b = BPF{ text = TRIPLES }
t.equal(#b:probes(), 0)
local judges = target:load_func("judges")
local ok, err = pcall(b.attach_freplace, b, { fn_name = "triples", target = judges })
if not ok then
    assert(err.errno_name == "EPERM", tostring(err))
    return t.skip("functions in the place of another's", "this kernel refuses freplace programs")
end

t.test("another object's function is replaced", function()
    t.equal(result(), 63)
    t.equal(tonumber(b.vars.runs), 1)
    t.equal(tonumber(b.vars.length), 60)
    local probe = b:probes()[1]
    t.equal(probe.kind .. " " .. probe.target .. " " .. probe.fn_name, "freplace verdict of judges triples")
end)

t.test("detached, the own one runs again; it can be attached once more", function()
    t.equal(b:detach_freplace("triples"), b)
    t.equal(result(), 42)
    b:attach_freplace({ fn_name = "triples", target = judges.fd, func = "verdict" })
    t.equal(result(), 63)
    b:detach_freplace({ fn_name = "triples" })
    t.equal(result(), 42)
end)

t.test("the program itself is replaced", function()
    b:attach_freplace({ fn_name = "drops", target = judges, func = "judges" })
    t.equal(result(), 1)
    b:detach_freplace("drops")
    t.equal(result(), 42)
end)

t.test("a function of the same text", function()
    local both = BPF{ text = TARGET .. 'SEC("freplace/verdict") int halves(struct xdp_md *ctx, int factor) { return factor >> 1; }' }
    t.equal(both:test_run({ fn_name = "judges", data_in = packet }).retval, 42)
    both:attach_freplace({ fn_name = "halves", target = "judges" })
    t.equal(both:test_run({ fn_name = "judges", data_in = packet }).retval, 10)
    both:close()
end)

t.test("errors", function()
    local function fails(options)
        return t.fails(b.attach_freplace, b, options)
    end
    t.contains(fails({ fn_name = "triples", target = judges, func = "verdit" }), "that program has no function `verdit`")
    t.contains(fails({ fn_name = "triples", target = judges, func = "verdit" }), "similar: verdict")
    t.contains(fails({ fn_name = "drops", target = judges }), "neither its section nor the option `func` says which")
    t.contains(fails({ fn_name = "triples", target = 0 }), "the descriptor is not a program's")
    t.contains(fails({ fn_name = "triples", target = {} }), "option `target` of `attach_freplace` is no program")
    t.contains(fails({ fn_name = "other", target = judges }), "other")
    t.contains(t.fails(target.attach_freplace, target, { fn_name = "judges", target = "judges" }), "its section is `xdp`")
    t.contains(t.fails(b.load_func, b, "triples"), "it takes the place of a function of another program")
end)
