-- SPDX-License-Identifier: Apache-2.0
-- What differs between kernels, handled in the C text and in Lua: the answers are those of the kernel's own files.

local ffi = require("ffi")
local t = require("harness")

local function lines_of(path)
    local lines = {}
    for line in io.lines(path) do
        lines[#lines + 1] = line
    end
    return lines
end

-- The first column of /proc/kallsyms for a symbol of the kernel itself.
local function address_of(symbol)
    for _, line in ipairs(lines_of("/proc/kallsyms")) do
        local address, name, rest = line:match("^(%x+) %a (%S+)(.*)$")
        if name == symbol and rest == "" then
            return ffi.cast("uint64_t", tonumber(address:sub(1, 8), 16)) * 0x100000000ULL + tonumber(address:sub(9), 16)
        end
    end
end

t.test("members and enumerators", function()
    t.equal(BPF.kernel_struct_has_field("task_struct", "pid"), 1)
    t.equal(BPF.kernel_struct_has_field("task_struct", "no_such_member"), 0)
    t.equal(BPF.kernel_struct_has_field("no_such_struct", "pid"), -1)
    -- Inside an anonymous union and struct.
    t.equal(BPF.kernel_struct_has_field("sk_buff", "dev"), 1)
    t.equal(BPF.kernel_struct_has_field("sock_common", "skc_daddr"), 1)
    t.equal(BPF.kernel_struct_has_field("upid", "nr"), 1)
    t.equal(BPF.kernel_enum_has_val("bpf_map_type", "BPF_MAP_TYPE_HASH"), 1)
    t.equal(BPF.kernel_enum_has_val("bpf_map_type", "BPF_MAP_TYPE_NOTHING"), 0)
    t.equal(BPF.kernel_enum_has_val("no_such_enum", "BPF_MAP_TYPE_HASH"), -1)
    -- Exactly one of the names that this member had in the course of time.
    local old, new = BPF.kernel_struct_has_field("task_struct", "state"), BPF.kernel_struct_has_field("task_struct", "__state")
    t.equal(old + new, 1)
end)

t.test("tracepoints, functions and symbols are the kernel's", function()
    t.equal(BPF.tracepoint_exists("sched", "sched_switch"), true)
    t.equal(BPF.tracepoint_exists("sched", "no_such_event"), false)
    t.equal(table.concat(BPF.get_tracepoints("sched:sched_(switch|process_exit)"), " "), "sched:sched_process_exit sched:sched_switch")
    -- From its start, as bcc has it: what `attach_tracepoint{tp_re = …}` attaches to.
    t.equal(table.concat(BPF.get_tracepoints("sched:sched_swi|sched:sched_wakeup_n"), " "), "sched:sched_switch sched:sched_wakeup_new")
    t.equal(#BPF.get_tracepoints("ched:sched_switch"), 0)
    t.equal(table.concat(BPF.get_kprobe_functions("vfs_(read|write)"), " "), "vfs_read vfs_write")
    t.equal(#BPF.get_kprobe_functions("no_such_function_.*"), 0)
    t.equal(BPF.ksymname("no_such_symbol"), -1)
    local address = BPF.ksymname("vfs_read")
    t.equal(address, address_of("vfs_read"))
    t.equal(address > 0xff00000000000000ULL, true)
end)

t.test("features are told with the reason against", function()
    for _, name in ipairs({ "kfunc", "fmod_ret", "lsm", "raw_tracepoint", "raw_tracepoint_in_module" }) do
        local works, why = BPF["support_" .. name]()
        t.equal(type(works), "boolean")
        t.equal(type(why), works and "nil" or "string")
    end
    t.equal(BPF.support_raw_tracepoint(), true)
    t.equal(BPF.support_raw_tracepoint_in_module(), true)
    -- The kernels of our virtual machines have them; see tests/vm/README.md.
    if os.getenv("BPFLUA_TEST_VM") then
        for _, name in ipairs({ "kfunc", "fmod_ret", "lsm" }) do
            local works, why = BPF["support_" .. name]()
            t.equal(why or works, true)
        end
    end
end)

-- Both branches of each question are in the program; the kernel's answer picks one. Members, records and enumerators
-- that no kernel has stand for those that another one has.
local TEXT = [[
struct answers { u64 renamed, old_flavour, chain, value, record, name_len; u32 pid, size; char comm[16]; };
struct task_struct___old { long state; } __attribute__((preserve_access_index));
BPF_ARRAY(out, struct answers, 1);

static u64 state_of(struct task_struct *t)
{
    if (bpf_core_field_exists(t->state))
        return t->state;
    return t->__state;
}

TRACEPOINT_PROBE(raw_syscalls, sys_enter)
{
    if (bpf_get_current_pid_tgid() >> 32 != SCRIPT || args->id != GETPPID)
        return 0;
    u32 zero = 0;
    struct answers *a = out.lookup(&zero);
    if (!a)
        return 0;
    struct task_struct *t = (void *)bpf_get_current_task();
    a->renamed = state_of(t) + 100;

    struct task_struct___old *old = (void *)t;
    a->old_flavour = bpf_core_field_exists(old->state) ? old->state + 200 : 201;

    if (bpf_core_field_exists(t->no_such_disk)) {
        struct file *file = t->no_such_disk->file;
        bpf_probe_read_kernel_str(a->comm, sizeof(a->comm), t->no_such_disk->names[2]);
        a->chain = BPF_CORE_READ(t, no_such_disk, part, inner.number) + (u64)file;
    } else {
        bpf_probe_read_kernel_str(a->comm, sizeof(a->comm), t->comm);
        a->chain = 300;
    }

    if (bpf_core_enum_value_exists(enum pid_type, PIDTYPE_NO_SUCH))
        a->value = bpf_core_enum_value(enum pid_type, PIDTYPE_NO_SUCH) + 400;
    else
        a->value = 401;

    if (bpf_core_type_exists(struct no_such_record))
        a->record = ((struct no_such_record *)t)->first + 500;
    else
        a->record = 501;
    a->pid = t->pid;
    a->size = sizeof(struct task_struct);
    a->name_len = bpf_core_field_size(t->comm);
    return 0;
}
]]

t.test("what this kernel lacks is asked about in the text", function()
    ffi.cdef("int getpid(void); int getppid(void); long syscall(long, ...);")
    local pid = ffi.C.getpid()
    local getppid = ffi.arch == "x64" and 110 or 173
    local b = BPF({ text = TEXT, cflags = { "-DSCRIPT=" .. pid, "-DGETPPID=" .. getppid } })
    ffi.C.syscall(getppid)
    local a = b.out[0]
    t.equal(a.pid, pid)
    t.equal(tonumber(a.renamed), 100)
    t.equal(tonumber(a.old_flavour), BPF.kernel_struct_has_field("task_struct", "state") == 1 and 200 or 201)
    t.equal(tonumber(a.chain), 300)
    t.equal(tonumber(a.value), 401)
    t.equal(tonumber(a.record), 501)
    t.equal(tonumber(a.name_len), 16)
    t.equal(ffi.string(a.comm), lines_of("/proc/self/comm")[1])
    -- Sizes do not change by what is made up.
    local plain = BPF({
        text = "BPF_ARRAY(size, u32, 1); TRACEPOINT_PROBE(raw_syscalls, sys_enter) { u32 zero = 0, "
            .. "size_now = sizeof(struct task_struct); size.update(&zero, &size_now); return 0; }",
    })
    ffi.C.syscall(getppid)
    t.equal(tonumber(plain.size[0]), a.size)
end)

t.test("a member that the text does not ask about is an error that says where it went", function()
    if BPF.kernel_struct_has_field("request_queue", "disk") ~= 1 then
        return
    end
    local message = t.fails(BPF, {
        text = [[int f(struct pt_regs *ctx, struct request *rq) { return rq->rq_disk->first_minor; }]],
    })
    t.contains(message, "no member named 'rq_disk' in 'struct request'")
    t.contains(message, "leads to `q->disk`")
end)
