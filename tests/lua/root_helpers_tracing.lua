-- SPDX-License-Identifier: Apache-2.0
-- Helpers that only some programs may call, each with its result checked another way: paths, cookies, arguments by number,
-- the kernel's own printing, memory areas, sleeping, per-CPU variables, user memory.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef([[
long syscall(long number, ...);
int getpid(void);
int open(const char *path, int flags, int mode);
int close(int fd);
int unlink(const char *path);
int ftruncate(int fd, int64_t length);
int atoi(const char *text);
long atol(const char *text);
struct helpers_clock { long sec, nsec; };
int clock_gettime(int clock, struct helpers_clock *time);
void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset);
int munmap(void *address, size_t length);
int madvise(void *address, size_t length, int advice);
int getpagesize(void);
]])

local C, PID = ffi.C, ffi.C.getpid()
-- getpgid: it fails for what is no process, and harms nothing.
local NUMBER = ffi.arch == "x64" and 121 or 155

local HEAD = [[
struct text_t { char bytes[256]; };
BPF_ARRAY(got, u64, 64);
BPF_ARRAY(texts, struct text_t, 4);
#define SET(n, v) do { int k_ = (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define MINE (bpf_get_current_pid_tgid() >> 32 == PID)
]]

local function open(text, flags)
    return BPF({ text = HEAD .. text, cflags = { "-DPID=" .. PID, "-DNUMBER=" .. NUMBER, unpack(flags or {}) } })
end

local function text_of(b, index)
    return ffi.string(b.texts[index].bytes)
end

local function address(pointer)
    return ffi.cast("uint64_t", pointer)
end

local function at_syscall(body)
    return 'SEC("raw_tp/sys_enter") int f(struct bpf_raw_tracepoint_args *ctx) { if (ctx->args[1] != NUMBER || !MINE) return 0; '
        .. body
        .. " return 0; }"
end

t.test("bpf_d_path", function()
    local folder = os.tmpname()
    os.remove(folder)
    os.execute("mkdir " .. folder)
    local path = folder .. "/a file"
    local b
    local has = t.attaches("fentry", function()
        b = open([[
            KFUNC_PROBE(security_file_open, struct file *file) {
                int zero = 0;
                struct text_t *text = texts.lookup(&zero);
                if (text && MINE && file->f_flags & 04000) SET(0, bpf_d_path(&file->f_path, text->bytes, sizeof(text->bytes)));
                return 0;
            }]])
    end)
    if has then
        local CREAT, NONBLOCK = 64, 2048
        C.close(C.open(path, CREAT + NONBLOCK, 384))
        t.equal(text_of(b, 0), path)
        t.equal(b.got[0], ffi.cast("uint64_t", #path + 1))
        b:cleanup()
    end
    os.execute("rm -r '" .. folder .. "'")
end)

t.test("bpf_d_path where the kernel allows it not", function()
    local b = open([[
        SEC("?tp_btf/sched_process_exit") int BPF_PROG(f, struct task_struct *task) {
            int zero = 0;
            struct text_t *text = texts.lookup(&zero);
            if (text) bpf_d_path(&task->mm->exe_file->f_path, text->bytes, sizeof(text->bytes));
            return 0;
        }]])
    local err = t.fails(b.load_func, b, "f")
    t.contains(err, "helper")
    b:cleanup()
end)

t.test("bpf_get_attach_cookie", function()
    local b = open([[
        int on_call(struct pt_regs *ctx) { if (MINE) SET(bpf_get_attach_cookie(ctx) & 15, bpf_get_attach_cookie(ctx)); return 0; }]])
    local has = t.attaches("bpf_get_attach_cookie", b.attach_uprobe, b, { name = "c", sym = "atoi", fn_name = "on_call", pid = PID, cookie = 0x123456789abcde1ULL })
    if has then
        b:attach_uprobe({ name = "c", sym = "atol", fn_name = "on_call", pid = PID, cookie = 2 })
        C.atoi("1")
        C.atol("1")
        t.equal(b.got[1], 0x123456789abcde1ULL)
        t.equal(b.got[2], 2ULL)
    end
    t.contains(t.fails(b.attach_uprobe, b, { name = "c", sym_re = "ato[il]", fn_name = "on_call", cookie = 1 }), "a cookie tells one attachment from others")
    b:cleanup()
    b = open("int at_point(struct tracepoint__syscalls__sys_enter_getpgid *args) { if (MINE) SET(4, bpf_get_attach_cookie(args)); return 0; }")
    if t.attaches("bpf_get_attach_cookie", b.attach_tracepoint, b, { tp = "syscalls:sys_enter_getpgid", fn_name = "at_point", cookie = 0xfedcba9876543210ULL }) then
        C.syscall(NUMBER, -1)
        t.equal(b.got[4], 0xfedcba9876543210ULL)
    end
    b:cleanup()
    b = open([[
        int on_getpgid(struct pt_regs *ctx) { if (MINE) SET(3, bpf_get_attach_cookie(ctx)); return 0; }]])
    local options = { event = b:get_syscall_fnname("getpgid"), fn_name = "on_getpgid", cookie = 77 }
    if t.attaches("kprobe", b.attach_kprobe, b, options) then
        C.syscall(NUMBER, -1)
        t.equal(b.got[3], 77ULL)
    end
    b:cleanup()
end)

t.test("where a function is, and its arguments by number", function()
    local b
    if t.attaches("fentry", function()
        b = open([[
            KFUNC_PROBE(find_task_by_vpid, int nr) {
                u64 value = 0;
                if (!MINE) return 0;
                SET(0, bpf_get_func_ip(ctx)); SET(1, bpf_get_func_arg_cnt(ctx));
                SET(2, bpf_get_func_arg(ctx, 0, &value)); SET(3, value); SET(4, bpf_get_func_arg(ctx, 1, &value));
                return 0;
            }
            KRETFUNC_PROBE(find_task_by_vpid, int nr, struct task_struct *ret) {
                u64 value = 1;
                if (!MINE) return 0;
                SET(5, bpf_get_func_ret(ctx, &value)); SET(6, value);
                return 0;
            }]])
    end) then
        C.syscall(NUMBER, ffi.cast("long", 4194303))
        t.equal(b.got[0], BPF.ksymname("find_task_by_vpid"))
        t.equal(b.got[1], 1ULL)
        t.equal(b.got[2], 0ULL)
        t.equal(b.got[3], 4194303ULL)
        t.equal(ffi.cast("int64_t", b.got[4]), -22LL)
        t.equal(b.got[5], 0ULL)
        t.equal(b.got[6], 0ULL)
        b:cleanup()
    end
    b = open("int on_kprobe(struct pt_regs *ctx) { if (MINE) SET(7, bpf_get_func_ip(ctx)); return 0; }")
    if t.attaches("kprobe", b.attach_kprobe, b, { event = "find_task_by_vpid", fn_name = "on_kprobe", mechanism = "kprobe" }) then
        C.syscall(NUMBER, ffi.cast("long", 4194303))
        t.equal(b.got[7], BPF.ksymname("find_task_by_vpid"))
    end
    b:cleanup()
end)

t.test("bpf_snprintf, and the time of TAI", function()
    local b
    if t.attaches("bpf_snprintf", function()
        b = open(at_syscall([[
            int zero = 0;
            struct text_t *text = texts.lookup(&zero);
            struct task_struct *task = (void *)bpf_get_current_task();
            static const char format[] = "%d-%s/%llx";
            u64 args[] = { PID, (u64)task->comm, 0xabcdef0123 };
            if (text) SET(0, bpf_snprintf(text->bytes, sizeof(text->bytes), format, args, sizeof(args)));
            if (text) SET(1, BPF_SNPRINTF(text->bytes + 128, 64, "%5d|%-4u|", -7, 8));]]))
        b:load_func("f")
    end) then
        C.syscall(NUMBER, -1)
        local wanted = ("%d-%s/abcdef0123"):format(PID, io.open("/proc/self/comm"):read("*l"))
        t.equal(text_of(b, 0), wanted)
        t.equal(b.got[0], ffi.cast("uint64_t", #wanted + 1))
        t.equal(ffi.string(b.texts[0].bytes + 128), "   -7|8   |")
        b:cleanup()
    end
    if t.attaches("bpf_ktime_get_tai_ns", function()
        b = open(at_syscall("SET(0, bpf_ktime_get_tai_ns()); SET(1, bpf_ktime_get_boot_ns());"))
        b:load_func("f")
    end) then
        local function now(clock)
            local time = ffi.new("struct helpers_clock")
            C.clock_gettime(clock, time)
            return time.sec * 1000000000ULL + time.nsec
        end
        local TAI, BOOTTIME = 11, 7
        local before = { now(TAI), now(BOOTTIME) }
        C.syscall(NUMBER, -1)
        for i, clock in ipairs({ TAI, BOOTTIME }) do
            local got = b.got[i - 1]
            assert(got >= before[i] and got <= now(clock), "clock " .. clock)
        end
        b:cleanup()
    end
end)

t.test("bpf_snprintf_btf", function()
    local b
    if t.attaches("bpf_snprintf_btf", function()
        b = open(at_syscall([[
            int zero = 0;
            struct text_t *text = texts.lookup(&zero);
            struct btf_ptr pointer = { .type_id = bpf_core_type_id_kernel(struct path), .flags = 0 };
            struct task_struct *task = (void *)bpf_get_current_task();
            struct path path = task->fs->pwd;
            pointer.ptr = &path;
            if (text) SET(0, bpf_snprintf_btf(text->bytes, sizeof(text->bytes), &pointer, sizeof(pointer), BTF_F_COMPACT));
            SET(1, path.dentry);]]))
        b:load_func("f")
    end) then
        C.syscall(NUMBER, -1)
        local said = text_of(b, 0)
        t.contains(said, "(struct path){")
        t.contains(said, ".dentry = (struct dentry *)0x")
        assert(tonumber(b.got[0]) >= #said, "the length of the whole")
        b:cleanup()
    end
end)

t.test("bpf_find_vma", function()
    local b
    if t.attaches("bpf_find_vma", function()
        b = open([[
            static long found(struct task_struct *task, struct vm_area_struct *vma, void *context)
            {
                SET(1, vma->vm_start); SET(2, vma->vm_end); SET(3, task->tgid); SET(4, *(u64 *)context);
                return 0;
            }
            ]] .. at_syscall([[
            u64 context = 99;
            u64 address = PT_REGS_PARM1_CORE((struct pt_regs *)ctx->args[0]);
            SET(0, bpf_find_vma(bpf_get_current_task_btf(), address, found, &context, 0));]]))
        b:load_func("f")
    end) then
        local page = C.getpagesize()
        local memory = C.mmap(nil, 3 * page, 3, 0x22, -1, 0)
        C.munmap(ffi.cast("char *", memory) + 2 * page, page)
        C.syscall(NUMBER, ffi.cast("char *", memory) + page + 5)
        -- Neighbours may have become one area with it: the file says.
        local first, last
        for line in io.lines("/proc/self/maps") do
            local from, to = line:match("^(%x+)-(%x+)")
            from, to = ffi.cast("uint64_t", tonumber(from, 16)), ffi.cast("uint64_t", tonumber(to, 16))
            if from <= address(memory) and address(memory) < to then
                first, last = from, to
            end
        end
        t.equal(b.got[0], 0ULL)
        t.equal(b.got[1], first)
        t.equal(b.got[2], last)
        t.equal(b.got[3], ffi.cast("uint64_t", PID))
        t.equal(b.got[4], 99ULL)
        C.munmap(memory, 2 * page)
        b:cleanup()
    end
end)

t.test("bpf_copy_from_user: memory that is not there yet", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write("fifteen  bytes.")
    file:close()
    local b
    if t.attaches("sleepable uprobe", function()
        b = open([[
            SEC("?uprobe.s") int sleeps(struct pt_regs *ctx) {
                int zero = 0;
                struct text_t *text = texts.lookup(&zero);
                if (text && MINE) SET(0, bpf_copy_from_user(text->bytes, 15, (void *)PT_REGS_PARM1(ctx)));
                return 0;
            }]])
        b:attach_uprobe({ name = "c", sym = "atoi", fn_name = "sleeps", pid = PID })
    end) then
        local page = C.getpagesize()
        local fd = C.open(path, 2, 0)
        local memory = ffi.cast("char *", C.mmap(nil, page, 3, 2, fd, 0))
        -- It was never touched, so only a program that may sleep can read it.
        C.atoi(memory)
        t.equal(text_of(b, 0), "fifteen  bytes.")
        t.equal(b.got[0], 0ULL)
        C.munmap(memory, page)
        C.close(fd)
        b:cleanup()
    end
    os.remove(path)
end)

t.test("per-CPU variables of the kernel's", function()
    local b
    if t.attaches("bpf_this_cpu_ptr", function()
        b = open([[
            extern const struct rq runqueues __ksym;
            extern const int cpu_number __ksym __weak;
            extern const void _text __ksym;
            ]] .. at_syscall([[
            u32 cpu = bpf_get_smp_processor_id();
            struct rq *mine = bpf_this_cpu_ptr(&runqueues), *same = bpf_per_cpu_ptr(&runqueues, cpu);
            SET(0, mine->cpu); SET(1, cpu); SET(2, same ? same->cpu : 99); SET(3, mine->curr->tgid);
            SET(4, bpf_per_cpu_ptr(&runqueues, 100000) == 0); SET(5, &_text);]]))
        b:load_func("f")
    end) then
        C.syscall(NUMBER, -1)
        t.equal(b.got[0], b.got[1])
        t.equal(b.got[2], b.got[1])
        t.equal(b.got[3], ffi.cast("uint64_t", PID))
        t.equal(b.got[4], 1ULL)
        t.equal(b.got[5], BPF.ksymname("_text"))
        b:cleanup()
    end
end)

t.test("bpf_probe_write_user", function()
    local b
    if t.attaches("bpf_probe_write_user", function()
        b = open(at_syscall([[
            u64 value = 0x1122334455667788;
            void *to = (void *)PT_REGS_PARM1_CORE((struct pt_regs *)ctx->args[0]);
            SET(0, bpf_probe_write_user(to, &value, 7)); SET(1, bpf_probe_write_user((void *)8, &value, 8));]]))
        b:load_func("f")
    end) then
        local memory = ffi.new("uint64_t[1]", -1)
        C.syscall(NUMBER, memory)
        t.equal(b.got[0], 0ULL)
        t.equal(ffi.cast("int64_t", b.got[1]), -14LL)
        t.equal(memory[0], 0xff22334455667788ULL)
        b:cleanup()
    end
end)

t.test("bpf_send_signal_thread, bpf_get_branch_snapshot, bpf_get_task_stack", function()
    local b
    if t.attaches("bpf_get_branch_snapshot", function()
        b = open(at_syscall([[
            u64 entries[6] = {}, stack[8] = {};
            SET(0, bpf_get_branch_snapshot(entries, sizeof(entries), 0));
            SET(1, bpf_get_task_stack(bpf_get_current_task_btf(), stack, sizeof(stack), 0)); SET(2, stack[0]);]]))
        b:load_func("f")
    end) then
        C.syscall(NUMBER, -1)
        -- Few machines record branches: then it is -ENOENT, and -EOPNOTSUPP where the kernel is not built for it.
        local branches = tonumber(ffi.cast("int64_t", b.got[0]))
        assert(branches == -2 or branches == -95 or branches >= 0, "got " .. branches)
        assert(tonumber(ffi.cast("int64_t", b.got[1])) > 0, "a stack")
        assert(BPF.ksym(b.got[2]) ~= "[unknown]", "its first address is a function's")
        b:cleanup()
    end
end)

t.test("bpf_override_return, which few kernels are built for", function()
    local b = open("int f(struct pt_regs *ctx) { bpf_override_return(ctx, -12); return 0; }")
    local ok, err = pcall(b.load_func, b, "f")
    if not ok then
        t.contains(err, "the kernel rejected program `f` (kprobe, 4 instructions): `bpf_override_return` is for kprobes, of kernels that were built for it (CONFIG_BPF_KPROBE_OVERRIDE) (EINVAL)")
        t.contains(err, "bpf_override_return#58")
        -- What replaces results elsewhere is named only where it works.
        t.equal(tostring(err):find("KMOD_RET", 1, true) ~= nil, BPF.support_fmod_ret())
    end
    b:cleanup()
end)
