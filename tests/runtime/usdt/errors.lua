-- SPDX-License-Identifier: Apache-2.0
-- Everything that can be wrong with a USDT probe, and what is said of it.

local values, server, pid = arg[1], arg[2], tonumber(arg[3])

local b = BPF{text = [[
int nothing(struct pt_regs *ctx)
{
    return 0;
}

int third(struct pt_regs *ctx)
{
    int value;
    bpf_usdt_readarg(3, ctx, &value);
    return value;
}

int first(struct pt_regs *ctx)
{
    int value;
    bpf_usdt_readarg(1, ctx, &value);
    return value;
}

SEC("usdt")
int BPF_USDT(two, int a, int b)
{
    return a + b;
}
]]}

local function case(name, body)
    local ok, err = pcall(body)
    print(("== %s\n%s\n"):format(name, ok and "no error" or tostring(err)))
end

case("no such probe", function() USDT{path = values}:enable_probe{probe = "placse", fn_name = "f"} end)
case("nothing similar", function() USDT{path = server}:enable_probe{probe = "request_start", fn_name = "f"} end)
case("no such provider", function() b:attach_usdt{path = values, provider = "vlaues", probe = "places", fn_name = "nothing"} end)
case("the other provider has it", function() b:attach_usdt{pid = pid, probe = "server:called", fn_name = "nothing"} end)
case("two providers", function() b:attach_usdt{pid = pid, probe = "tick", fn_name = "nothing"} end)
case("no probes", function() b:attach_usdt{path = "true", probe = "tick", fn_name = "nothing"} end)
case("no file", function() USDT{path = "/no/such/file"} end)
case("no program", function() USDT{path = "/etc/passwd"} end)
case("no process", function() USDT{pid = 2 ^ 31 - 1} end)
case("neither", function() USDT{} end)
case("too few arguments", function() b:attach_usdt{path = values, probe = "places", fn_name = "third"} end)
case("too few parameters", function() b:attach_usdt{path = server, probe = "tick", fn_name = "two"} end)
case("out of reach", function() b:attach_usdt{path = values, probe = "vectors", fn_name = "first"} end)
case("no such function", function() b:attach_usdt{path = values, probe = "places", fn_name = "thrid"} end)
case("a uprobe has no such arguments", function() b:attach_uprobe{name = "c", sym = "getpid", fn_name = "first"} end)
case("a number from 0", function() BPF{text = "int f(void *ctx) { int v; bpf_usdt_readarg(0, ctx, &v); return v; }"} end)
case("no number", function() BPF{text = "int f(void *ctx) { int v, n = bpf_get_prandom_u32(); bpf_usdt_readarg(n, ctx, &v); return v; }"} end)
case("no such option", function() b:attach_usdt{path = values, porbe = "places", fn_name = "nothing"} end)
case("no context", function() BPF{text = "int f(void *ctx) { return 0; }", usdt_contexts = {{}}} end)
case("a context's function", function()
    local u = USDT{path = values}:enable_probe{probe = "places", fn_name = "on_places"}
    BPF{text = "int on_place(void *ctx) { return 0; }", usdt = u}
end)
case("a section", function() BPF{text = 'SEC("usdt/places") int f(struct pt_regs *ctx) { return 0; }'} end)
case("argument types", function() USDT{path = values}:get_probe_arg_ctype("places", 2) end)
case("not attached", function() b:detach_usdt{probe = "placse"} end)
case("of another function", function()
    b:attach_usdt{path = values, probe = "places", fn_name = "nothing"}
    b:detach_usdt{probe = "places", fn_name = "first"}
end)
case("method", function() USDT{path = values}:enable{} end)
assert(USDT{path = values}:get_probe_arg_ctype("values:places", 0) == "int64_t")
assert(USDT{path = values}:get_text() == "")
-- It has three places.
assert(#b:probes() == 1 and BPF.num_open_uprobes() == 3)
b:detach_usdt{probe = "values:places", fn_name = "nothing"}
assert(#b:probes() == 0)
