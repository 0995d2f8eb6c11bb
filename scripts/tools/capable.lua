-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Checks of capabilities: which privileges do programs ask for?"
description = """
Each check of the security hook cap_capable. Those that the kernel makes without leaving a note in the audit log are shown with -v; kernels
whose tracepoint does not tell them apart show all. Those of bpflua itself are not shown: reading a stack asks for some."""
parameters = [
  { name = "verbose", flags = "-v --verbose", type = "flag", help = "show checks that leave no note in the audit log, too" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "show this process only" },
  { name = "kernel_stack", flags = "-K --kernel-stack", type = "flag", help = "show the kernel's stack" },
  { name = "user_stack", flags = "-U --user-stack", type = "flag", help = "show the program's stack" },
  { name = "extra", flags = "-x --extra", type = "flag", help = "show the thread and whether setuid(2) asks, too" },
  { name = "cgroupmap", flags = "--cgroupmap", type = "path", help = "show the cgroups in this pinned map only" },
  { name = "mntnsmap", flags = "--mntnsmap", type = "path", help = "show the mount namespaces in this pinned map only" },
  { name = "unique", flags = "--unique", type = "flag", help = "show each capability once for a process, or a stack of it" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", width = 8 },
  { name = "uid", width = 6, type = "integer", right = false },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "tid", width = 7, type = "integer", right = false, when = "extra" },
  { name = "comm", width = 16 },
  { name = "cap", width = 4, type = "integer", right = false },
  { name = "name", width = 20 },
  { name = "audit", width = 6, type = "integer", right = false },
  { name = "insetid", title = "INSETID", width = 7, type = "integer", right = false, when = "extra" },
  { name = "allowed", width = 7, type = "boolean", right = false },
  { name = "kstack", title = "KERNEL_STACK", when = "kernel_stack" },
  { name = "ustack", title = "USER_STACK", when = "user_stack" },
]
examples = [
  { run = "", help = "every check" },
  { run = "-p 181 --unique", help = "the capabilities that process 181 asks for" },
  { run = "-K -U", help = "with the stacks that lead there" },
]
[requires]
attach = ["raw_tracepoint:cap_capable", "kprobe:cap_capable", "kretprobe:cap_capable"]
lua = ["ffi"]
]==]

local bit = require("bit")
local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#include <linux/sched.h>

const volatile u32 only_pid = 0, own_pid = 0;
const volatile bool verbose = false, is_unique = false, with_kernel = false, with_user = false;

enum { NOT_KNOWN = 0x100 };

struct event {
    u32 pid, tid, uid;
    int cap, options, ret, kernel_stack, user_stack;
    char comm[TASK_COMM_LEN];
};

struct seen {
    u32 pid;
    int cap, kernel_stack, user_stack;
};

BPF_PERF_OUTPUT(events);
BPF_HASH(checks, u64, struct event, 10240);
BPF_TABLE("lru_hash", struct seen, u8, shown, 16384);
BPF_STACK_TRACE(stacks, 4096);

static __always_inline bool fill(void *ctx, struct event *e, int cap, int options)
{
    u64 id = bpf_get_current_pid_tgid();

    e->pid = id >> 32;
    e->tid = id;
    if (e->pid == own_pid || (only_pid && e->pid != only_pid) || container_should_be_filtered())
        return false;
    e->uid = bpf_get_current_uid_gid();
    e->cap = cap;
    e->options = options;
    e->kernel_stack = with_kernel ? stacks.get_stackid(ctx, 0) : -1;
    e->user_stack = with_user ? stacks.get_stackid(ctx, BPF_F_USER_STACK) : -1;
    bpf_get_current_comm(&e->comm, sizeof(e->comm));
    if (is_unique) {
        struct seen key = { e->pid, cap, e->kernel_stack, e->user_stack };
        u8 one = 1;
        if (shown.lookup(&key))
            return false;
        shown.update(&key, &one);
    }
    return true;
}

int on_checked(struct bpf_raw_tracepoint_args *ctx)
{
    struct event e = {};

    if (!fill(ctx, &e, ctx->args[3], NOT_KNOWN))
        return 0;
    e.ret = ctx->args[4];
    events.perf_submit(ctx, &e, sizeof(e));
    return 0;
}

int on_check(struct pt_regs *ctx, const struct cred *cred, struct user_namespace *ns, int cap, unsigned int options)
{
    u64 id = bpf_get_current_pid_tgid();
    struct event e = {};

    if ((verbose || !(options & 2)) && fill(ctx, &e, cap, options))
        checks.update(&id, &e);
    return 0;
}

int on_result(struct pt_regs *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    struct event *check = checks.lookup(&id);

    if (!check)
        return 0;
    struct event e = *check;
    e.ret = PT_REGS_RC(ctx);
    events.perf_submit(ctx, &e, sizeof(e));
    checks.delete(&id);
    return 0;
}
]]

-- include/uapi/linux/capability.h
local NAMES = {
    [0] = "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
    "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
}
-- include/linux/security.h: `CAP_OPT_NOAUDIT`, `CAP_OPT_INSETID`; what only the tracepoint saw has neither.
local NO_AUDIT, IN_SETID, NOT_KNOWN = 2, 4, 0x100

ffi.cdef("int getpid(void);")

local b = BPF{
    text = BPF.filter_by_containers(args) .. TEXT,
    attach = false,
    constants = {
        only_pid = args.pid, own_pid = ffi.C.getpid(), verbose = args.verbose, is_unique = args.unique, with_kernel = args.kernel_stack, with_user = args.user_stack,
    },
}
-- The functions tell which checks are audited, the tracepoint does not: it is second here.
tool:attach(b, {
    { { event = "cap_capable", fn_name = "on_result", retprobe = true }, { event = "cap_capable", fn_name = "on_check" } },
    { { raw_tp = "cap_capable", fn_name = "on_checked" } },
})

-- The functions of a stack, the innermost first; a list stands below its row.
local function stack(id, pid)
    if id < 0 then
        return nil
    end
    local names = {}
    for address in b.stacks:walk(id) do
        names[#names + 1] = pid and BPF.sym(address, pid) or BPF.ksym(address)
    end
    return names
end

local function option(event, mask)
    if event.options == NOT_KNOWN then
        return nil
    end
    return bit.band(event.options, mask) ~= 0 and 1 or 0
end

b.events:open_perf_buffer(function(_, event)
    local no_audit = option(event, NO_AUDIT)
    tool:print({
        time = os.date("%H:%M:%S"),
        uid = event.uid,
        pid = event.pid,
        tid = event.tid,
        comm = ffi.string(event.comm),
        cap = event.cap,
        name = NAMES[event.cap] or "?",
        audit = no_audit and 1 - no_audit,
        insetid = option(event, IN_SETID),
        allowed = event.ret == 0,
        kstack = stack(event.kernel_stack),
        ustack = stack(event.user_stack, event.pid),
    })
end)

tool:header()
tool:run({ duration = args.duration })
