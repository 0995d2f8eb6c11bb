-- SPDX-License-Identifier: Apache-2.0
-- `cookie = …` of every way to attach that has one: two attachments of one function are told apart, all 64 bits arrive; and
-- the error of kernels that have none for a way. Uprobes, tracepoints and USDT probes: root_helpers_tracing.lua, root_usdt.lua.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef("int getpgid(int pid); int getpid(void);")

local C, PID = ffi.C, ffi.C.getpid()
local GETPGID = ffi.arch == "x64" and 121 or 155
local BIG = 0xfedcba9876543210ULL

local HEAD = [[
BPF_HASH(seen, u64, u64);
#define MINE (bpf_get_current_pid_tgid() >> 32 == PID)
#define COUNT do { if (MINE) seen.increment(bpf_get_attach_cookie(ctx)); } while (0)
]]

local function open(text)
    return BPF({ text = HEAD .. text, cflags = { "-DPID=" .. PID, "-DGETPGID=" .. GETPGID } })
end

-- Calls getpgid() three times; the cookies that programs had meanwhile, and how often.
local function seen(b)
    b.seen:clear()
    for _ = 1, 3 do
        C.getpgid(PID)
    end
    local counts = {}
    for cookie, count in b.seen:pairs() do
        counts[tostring(cookie)] = tonumber(count)
    end
    return counts
end

---Whether programs of this kernel can ask for a cookie at all (5.15).
local function asks()
    local b = open("int f(void *ctx) { return bpf_get_attach_cookie(ctx) == 1; }")
    local ok = pcall(b.attach_tracepoint, b, { tp = "syscalls:sys_enter_getpgid", fn_name = "f" })
    b:cleanup()
    return ok
end

-- The error of a kernel without: what, why, and what to do.
local function without(err)
    err = tostring(err)
    if t.lacks(err) then
        return true
    end
    return false
end

---Attaches with cookies, or tells that this kernel has none; whether it has.
local function cookie_test(name, text, attach)
    t.test(name, function()
        local b
        local ok, err = pcall(function()
            b = open(text)
            attach(b, BIG)
        end)
        if not ok then
            if not without(err) then
                error(err, 0)
            end
            t.skip(name, (tostring(err):match("[^\n]*")))
            if tostring(err):find("carry no cookie (EINVAL)", 1, true) or tostring(err):find("would be lost", 1, true) then
                t.contains(err, asks() and "carry one" or "attach it without `cookie`")
            end
            return
        end
        local counts = seen(b)
        t.equal(counts[tostring(BIG)], 3)
        b:cleanup()
    end)
end

cookie_test("fentry", 'SEC("?fentry/find_task_by_vpid") int f(u64 *ctx) { COUNT; return 0; }', function(b, cookie)
    b:attach_kfunc({ fn_name = "f", cookie = cookie })
end)

cookie_test("KFUNC_PROBE, attached without a cookie before", "KFUNC_PROBE(find_task_by_vpid, int nr) { COUNT; return 0; }", function(b, cookie)
    t.equal(seen(b)["0ULL"], 3)
    b:attach_kfunc({ fn_name = "find_task_by_vpid", cookie = cookie })
    t.equal(seen(b)["0ULL"], nil)
    t.equal(#b:probes(), 1)
end)

cookie_test("fexit", 'SEC("?fexit/find_task_by_vpid") int f(u64 *ctx) { COUNT; return 0; }', function(b, cookie)
    b:attach_kretfunc({ fn_name = "f", cookie = cookie })
end)

cookie_test("an LSM hook", 'SEC("?lsm/task_getpgid") int BPF_PROG(f, struct task_struct *p) { COUNT; return 0; }', function(b, cookie)
    b:attach_lsm({ fn_name = "f", cookie = cookie })
end)

cookie_test("a raw tracepoint", 'int f(struct bpf_raw_tracepoint_args *ctx) { if (ctx->args[1] == GETPGID) COUNT; return 0; }', function(b, cookie)
    b:attach_raw_tracepoint({ tp = "sys_enter", fn_name = "f", cookie = cookie })
    b:attach_raw_tracepoint({ tp = "sys_exit", fn_name = "f", cookie = 5 })
end)

cookie_test("a typed raw tracepoint", 'SEC("?tp_btf/sys_enter") int BPF_PROG(f, struct pt_regs *regs, long id) { if (id == GETPGID) COUNT; return 0; }', function(b, cookie)
    b:attach_raw_tracepoint({ tp = "sys_enter", fn_name = "f", cookie = cookie })
end)

local KPROBE = "int f(struct pt_regs *ctx) { COUNT; return 0; }"

for _, mechanism in ipairs({ "fentry", "kprobe_multi", "kprobe", "sys_enter" }) do
    cookie_test("a kprobe by " .. mechanism, KPROBE, function(b, cookie)
        local event = mechanism == "sys_enter" and b:get_syscall_fnname("getpgid") or "find_task_by_vpid"
        b:attach_kprobe({ event = event, fn_name = "f", cookie = cookie, mechanism = mechanism })
        t.equal(b:probes()[1].mechanism, mechanism)
    end)
end

cookie_test("two kprobes on one function, by whatever serves", KPROBE, function(b, cookie)
    local event = b:get_syscall_fnname("getpgid")
    b:attach_kprobe({ event = event, fn_name = "f", cookie = cookie })
    b:attach_kretprobe({ event = event, fn_name = "f", cookie = 77 })
    t.equal(seen(b)["77ULL"], 3)
end)

t.test("samples of a perf event", function()
    local b = open("int f(struct bpf_perf_event_data *ctx) { COUNT; return 0; }")
    local options = { ev_type = BPF.PerfType.SOFTWARE, ev_config = BPF.PerfSWConfig.CPU_CLOCK, fn_name = "f", sample_freq = 500, cookie = BIG }
    if t.attaches("cookies of perf events", b.attach_perf_event, b, options) then
        for _ = 1, 1e9 do
            if b.seen[BIG] then
                break
            end
        end
        assert(b.seen[BIG] > 0ULL)
    end
    b:cleanup()
end)

t.test("what is no cookie", function()
    local b = open("int f(struct bpf_raw_tracepoint_args *ctx) { return 0; }")
    local function fails(cookie)
        return t.fails(b.attach_raw_tracepoint, b, { tp = "sys_enter", fn_name = "f", cookie = cookie })
    end
    t.contains(fails(1.5), "it must be a whole number")
    t.contains(fails("7"), "option `cookie` of `attach_raw_tracepoint`")
    t.contains(fails(2 ^ 60), "has lost its last digits")
    b:cleanup()
end)

-- Each way to attach that takes a cookie, with a program that does not ask for it: the kernel has no reason to refuse that one.
local UNASKED = {
    { "uprobes", "int f(struct pt_regs *ctx) { return 0; }", "attach_uprobe", { name = "c", sym = "getpgid", pid = PID } },
    { "uprobes", "int f(struct pt_regs *ctx) { return 0; }", "attach_uretprobe", { name = "c", sym = "getpgid", pid = PID } },
    { "kprobes", "int f(struct pt_regs *ctx) { return 0; }", "attach_kprobe", { event = "find_task_by_vpid", mechanism = "kprobe" } },
    { "kprobes", "int f(struct pt_regs *ctx) { return 0; }", "attach_kretprobe", { event = "find_task_by_vpid", mechanism = "kprobe" } },
    { "tracepoints", "int f(void *ctx) { return 0; }", "attach_tracepoint", { tp = "syscalls:sys_enter_getpgid" } },
    { "raw tracepoints", "int f(struct bpf_raw_tracepoint_args *ctx) { return 0; }", "attach_raw_tracepoint", { tp = "sys_enter" } },
    { "fentry programs", 'SEC("?fentry/find_task_by_vpid") int f(u64 *ctx) { return 0; }', "attach_kfunc", {} },
    {
        "perf events",
        "int f(struct bpf_perf_event_data *ctx) { return 0; }",
        "attach_perf_event",
        { ev_type = BPF.PerfType.SOFTWARE, ev_config = BPF.PerfSWConfig.CPU_CLOCK, sample_freq = 9 },
    },
}

for _, one in ipairs(UNASKED) do
    local words, text, method, options = unpack(one)
    t.test("a cookie that nobody asks for, by " .. method, function()
        local b = open(text)
        local function attach(cookie)
            options.fn_name, options.cookie = "f", cookie
            return pcall(b[method], b, options)
        end
        local ok, err = attach(7)
        if not ok then
            if tostring(err):find("no kprobes", 1, true) or tostring(err):find("refuses programs", 1, true) then
                return t.skip(method, (tostring(err):match("[^\n]*")))
            end
            t.contains(err, words .. " of this kernel carry no cookie")
            t.equal(#b:probes(), 0)
            assert(attach(nil))
        end
        -- A kernel whose programs cannot ask for it must have refused it.
        t.equal(ok and not asks(), false)
        t.equal(#b:probes(), 1)
        b:cleanup()
    end)
end
