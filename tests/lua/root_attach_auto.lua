-- SPDX-License-Identifier: Apache-2.0
-- What is attached by sections and names, and when.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef("int getpid(void); int getpgid(int pid); int getppid(void); int getsid(int pid);")
local me = ffi.C.getpid()

local COUNT = [[
BPF_ARRAY(seen, u64, 8);
BPF_ARRAY(me, u32, 1);
static void count(int slot) {
    int zero = 0;
    u32 *pid = me.lookup(&zero);
    if (pid && *pid == bpf_get_current_pid_tgid() >> 32) seen.increment(slot);
}
]]

local function object(text)
    local b = BPF({ text = COUNT .. text })
    b.me[0] = me
    return b
end

local function seen(b, slot)
    return tonumber(b.seen[slot])
end

local function targets(b)
    local found = {}
    for _, probe in ipairs(b:probes()) do
        found[#found + 1] = probe.fn_name .. "@" .. probe.target
    end
    table.sort(found)
    return table.concat(found, " ")
end

t.test("syscall__NAME waits for the script to attach it, and is attached when the script waits", function()
    local b = object([[
int syscall__getpgid(struct pt_regs *ctx, int pid) { count(pid == 7 ? 1 : 0); return 0; }
int syscall__getsid(struct pt_regs *ctx) { count(2); return 0; }
int syscall__trace_entry(struct pt_regs *ctx) { count(3); return 0; }
]])
    t.equal(targets(b), "")
    b:attach_kprobe({ event = b:get_syscall_fnname("getsid"), fn_name = "syscall__getsid" })
    ffi.C.getsid(0)
    t.equal(seen(b, 2), 1)
    b:perf_buffer_poll(0)
    t.contains(targets(b), "syscall__getpgid@sys_getpgid syscall__getsid@")
    t.equal(#b:probes(), 2)
    ffi.C.getpgid(7)
    ffi.C.getsid(0)
    t.equal(seen(b, 1), 1)
    t.equal(seen(b, 2), 2)
    -- What the script detached stays so.
    b:detach_kprobe({ event = "sys_getpgid" })
    b:perf_buffer_poll(0)
    t.equal(#b:probes(), 1)
    b:cleanup()
end)

t.test("one that was attached and detached before is not attached again", function()
    local b = object("int syscall__getpgid(struct pt_regs *ctx) { count(0); return 0; }\n")
    b:attach_kretprobe({ event = b:get_syscall_fnname("getpgid"), fn_name = "syscall__getpgid", mechanism = "sys_exit" })
    b:detach_kretprobe({ event = b:get_syscall_fnname("getpgid") })
    BPF.sleep(0)
    t.equal(#b:probes(), 0)
    b:cleanup()
end)

t.test("names of system calls of other kernels", function()
    local b = object([[
int kprobe__sys_getpgid(struct pt_regs *ctx) { count(0); return 0; }
int kretprobe____x64_sys_getsid(struct pt_regs *ctx) { count(1); return 0; }
]])
    ffi.C.getpgid(0)
    ffi.C.getsid(0)
    t.equal(seen(b, 0), 1)
    t.equal(seen(b, 1), 1)
    b:cleanup()
end)

t.test("libbpf's sections", function()
    local b = object([[
SEC("tp/syscalls/sys_enter_getpgid") int a(void *ctx) { count(0); return 0; }
SEC("raw_tp/sys_enter") int c(struct bpf_raw_tracepoint_args *ctx) { if (ctx->args[1] == 121) count(1); return 0; }
SEC("raw_tp.w/sys_exit") int d(struct bpf_raw_tracepoint_args *ctx) { return 0; }
SEC("tp_btf/sys_enter") int BPF_PROG(e, struct pt_regs *regs, long id) { if (id == 121) count(2); return 0; }
SEC("uprobe/libc.so.6:getsid") int BPF_UPROBE(g, int pid) { if (pid == 9) count(4); return 0; }
SEC("?tp/syscalls/sys_enter_getpgid") int h(void *ctx) { count(5); return 0; }
SEC("xdp") int i(struct xdp_md *ctx) { return XDP_PASS; }
SEC("perf_event") int j(struct bpf_perf_event_data *ctx) { return 0; }
SEC("cgroup_skb/egress") int k(struct __sk_buff *ctx) { return 1; }
]])
    t.equal(targets(b), "a@syscalls:sys_enter_getpgid c@sys_enter d@sys_exit e@sys_enter g@libc.so.6:getsid")
    ffi.C.getpgid(5)
    ffi.C.getsid(9)
    for slot, wanted in pairs({ [0] = 1, [1] = 1, [2] = 1, [4] = 1, [5] = 0 }) do
        t.equal(seen(b, slot), wanted)
    end
    for _, name in ipairs({ "h", "i", "j", "k" }) do
        t.equal(b:load_func(name).fd > 2, true)
    end
    b:cleanup()
end)

local kprobes = io.open("/sys/bus/event_source/devices/kprobe/type")
t.test_unless(not kprobes and "this kernel has no kprobes", "libbpf's sections for kprobes", function()
    local b = object([[
SEC("ksyscall/getpgid") int BPF_KSYSCALL(a, int pid) { if (pid == 5) count(0); return 0; }
SEC("kretsyscall/getpgid") int BPF_KRETPROBE(b, long ret) { count(1); return 0; }
SEC("kprobe/__x64_sys_getsid") int c(struct pt_regs *ctx) { count(2); return 0; }
SEC("kretprobe/__x64_sys_getsid") int d(struct pt_regs *ctx) { count(3); return 0; }
SEC("kprobe.multi/__x64_sys_gets?d") int e(struct pt_regs *ctx) { count(4); return 0; }
]])
    ffi.C.getpgid(5)
    ffi.C.getsid(0)
    for slot = 0, 4 do
        t.equal(seen(b, slot), 1)
    end
    b:cleanup()
end)

t.test("many functions of a file by one section", function()
    local b = object([[
SEC("uprobe.multi/libc.so.6:getpgi?") int a(void *ctx) { count(0); return 0; }
SEC("uretprobe.multi/libc.so.6:getpgi?") int b(void *ctx) { count(1); return 0; }
]])
    ffi.C.getpgid(0)
    t.equal(seen(b, 0), 1)
    t.equal(seen(b, 1), 1)
    for _, probe in ipairs(b:probes()) do
        t.equal(probe.mechanism == "uprobe_multi" or probe.mechanism == "uprobe", true)
    end
    b:cleanup()
    local none = t.fails(BPF, { text = 'SEC("uprobe.multi/libc.so.6:no_such_*") int f(void *ctx) { return 0; }' })
    t.contains(none, "no function of this file matches")
end)

-- One program for entry and return: from Linux 6.13 on for uprobes, 6.10 for kprobes.
local function session(name, section, body)
    local text = [[
extern bool bpf_session_is_return(void) __ksym __weak;
SEC("%s") int f(void *ctx) { count(bpf_session_is_return() ? 1 : 0); return 0; }
]]
    local ok, b = pcall(object, text:format(section))
    -- Kernels before refuse the section, or the function in it.
    t.equal(ok or b.errno_name == "EINVAL" or b.errno_name == "EACCES", true)
    local why = not ok and "this kernel has no link for many kprobes and their returns (kprobe-multi): " .. name
    t.test_unless(why, name, function()
        body()
        t.equal(seen(b, 0), 1)
        t.equal(seen(b, 1), 1)
        t.contains(b:probes()[1].mechanism, name == "kprobe session" and "kprobe_session" or "uprobe_multi")
        b:cleanup()
    end)
end
session("uprobe session", "uprobe.session/libc.so.6:getsid", function() ffi.C.getsid(0) end)
if kprobes then
    session("kprobe session", "kprobe.session/__x64_sys_getsid", function() ffi.C.getsid(0) end)
end

t.test("all tracepoints that match", function()
    local b = object("int on(void *ctx) { count(0); return 0; }\n")
    b:attach_tracepoint({ tp_re = "syscalls:sys_(enter|exit)_getsid", fn_name = "on" })
    t.equal(targets(b), "on@syscalls:sys_enter_getsid on@syscalls:sys_exit_getsid")
    ffi.C.getsid(0)
    t.equal(seen(b, 0), 2)
    t.equal(BPF.num_open_tracepoints(), 2)
    b:detach_tracepoint({ tp = "syscalls:sys_exit_getsid" })
    t.contains(t.fails(b.attach_tracepoint, b, { tp_re = "no_such", fn_name = "on" }), "no tracepoint of this kernel matches")
    t.contains(t.fails(b.attach_tracepoint, b, { fn_name = "on" }), "needs the option `tp` or the option `tp_re`")
    b:cleanup()
end)
