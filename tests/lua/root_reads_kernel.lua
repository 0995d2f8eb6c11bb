-- SPDX-License-Identifier: Apache-2.0
-- Reads of the kernel's structures, against what /proc and stat say of the same things: by helper where a pointer is a
-- number to the verifier, directly where it knows the type.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef([[
long syscall(long number, ...);
int getpid(void);
int open(const char *path, int flags, int mode);
int close(int fd);
long write(int fd, const void *buffer, size_t size);
int prctl(int option, ...);
int sched_setscheduler(int pid, int policy, const int *priority);
]])

local PID = ffi.C.getpid()
local NUMBER = ffi.arch == "x64" and 39 or 172

local function of_command(command)
    local pipe = assert(io.popen(command))
    local text = pipe:read("*a"):gsub("%s+$", "")
    pipe:close()
    return text
end

local function first_line(path)
    local file = assert(io.open(path))
    local line = file:read("*l")
    file:close()
    return line
end

-- Bytes as the number that a little-endian machine loads.
local function word(text)
    local bytes = ffi.new("char[8]")
    ffi.copy(bytes, text, math.min(#text, 8))
    return ffi.cast("uint64_t *", bytes)[0]
end

local NAME = ("reads-%d.tmp"):format(PID)
local PATH = "/tmp/" .. NAME
local FD = ffi.C.open(PATH, 1 + 64 + 1024, 384) -- O_WRONLY | O_CREAT | O_APPEND
assert(FD >= 0, "cannot open " .. PATH)
ffi.C.write(FD, "123456789", 9)
local BATCH_RESET_ON_FORK = 3 + 0x40000000
assert(ffi.C.sched_setscheduler(0, BATCH_RESET_ON_FORK, ffi.new("int[1]", 0)) == 0)

local stat = {}
for field in first_line("/proc/self/stat"):gsub("^%d+ %b() ", ""):gmatch("%S+") do
    stat[#stat + 1] = field
end
local parent = tonumber(stat[2])

local function ancestors()
    local count, pid = 0, PID
    while pid > 1 and count < 16 do
        pid = tonumber(first_line("/proc/" .. pid .. "/stat"):gsub("^%d+ %b() ", ""):match("^%S+ (%d+)"))
        count = count + 1
    end
    return count
end

local status = {}
for line in io.lines("/proc/self/status") do
    local key, value = line:match("^(%w+):%s*(.*)")
    if key then
        status[key] = value
    end
end

local WANTED = {
    [0] = { "tgid", PID },
    { "pid", PID },
    { "parent's tgid", parent },
    { "group leader", PID },
    { "comm", word(first_line("/proc/self/comm")) },
    { "one character of comm", first_line("/proc/self/comm"):byte(3) },
    { "another one", first_line("/proc/self/comm"):byte(2) },
    { "start of the arguments", ffi.cast("uint64_t", tonumber(stat[46])) },
    { "first character of the arguments, in user memory", first_line("/proc/self/cmdline"):byte(1) },
    { "inode of an open file", tonumber(of_command("stat -c %i " .. PATH)) },
    { "length of its name", #NAME },
    { "its name", word(NAME) },
    { "its size", 9 },
    { "its flags", 1024 },
    { "uid", tonumber(status.Uid:match("%d+")) },
    { "uts namespace", tonumber(of_command("readlink /proc/" .. PID .. "/ns/uts"):match("%d+")) },
    { "host name", word(first_line("/proc/sys/kernel/hostname")) },
    { "ancestors", ancestors() },
    { "reset on fork, a bit", 1 },
    { "no read_iter, negated", 0 },
    { "container_of", tonumber(of_command("stat -c %i " .. PATH)) },
    { "threads", tonumber(status.Threads) },
    { "working directory", tonumber(of_command("stat -L -c %i /proc/" .. PID .. "/cwd")) },
    { "executable", tonumber(of_command("stat -L -c %i /proc/" .. PID .. "/exe")) },
    { "pid by its structure", PID },
    { "directory of the file", word("tmp") },
    { "a string's length", #NAME + 1 },
    { "has run", 1 },
    { "kind of the file", 0x8000 },
    { "a path by value", tonumber(of_command("stat -c %i " .. PATH)) },
}

local TEXT = [[
#include <linux/sched.h>
#include <linux/fdtable.h>
#include <linux/nsproxy.h>
#include <linux/utsname.h>
BPF_ARRAY(got, u64, 64 * 8);
#define SET(n, v) do { int k_ = base + (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define GET(p, member) ((p)->member)
#define MINE (bpf_get_current_pid_tgid() >> 32 == PID)

static struct file *file_of(struct task_struct *t, int fd) { return t->files->fdt->fd[fd]; }
static struct path path_of(struct file *f) { return f->f_path; }
static u64 inode_of(struct path p) { return p.dentry->d_inode->i_ino; }
static noinline u64 name_of(struct dentry *d) { u64 name = 0; __builtin_memcpy(&name, d->d_name.name, 8); return name; }

static __always_inline int look(int base, struct task_struct *t)
{
	struct mm_struct *mm = t->mm;
	struct file *file = file_of(t, FD);
	struct path *path = &file->f_path;
	struct task_struct *at = t;
	int i = t->pid ? 2 : 3, count = 0;
	u64 comm;
	char name[32];

	__builtin_memcpy(&comm, t->comm, sizeof(comm));
	SET(0, t->tgid); SET(1, GET(t, pid)); SET(2, GET(GET(t, real_parent), tgid)); SET(3, t->group_leader->pid);
	SET(4, comm); SET(5, t->comm[i]); SET(6, (*&t->comm)[1]); SET(7, mm->arg_start); SET(8, *(char *)mm->arg_start);
	SET(9, file->f_inode->i_ino); SET(10, file->f_path.dentry->d_name.len); SET(11, name_of(path->dentry));
	SET(12, file->f_inode->i_size); SET(13, file->f_flags & 1024); SET(14, t->cred->uid.val);
	SET(15, t->nsproxy->uts_ns->ns.inum); SET(16, *(u64 *)t->nsproxy->uts_ns->name.nodename);
	for (count = 0; count < 16 && at->tgid > 1; count++)
		at = at->real_parent;
	SET(17, count); SET(18, t->sched_reset_on_fork); SET(19, !file->f_op->read_iter);
	SET(20, container_of(path, struct file, f_path)->f_inode->i_ino); SET(21, t->signal->nr_threads);
	SET(22, t->fs->pwd.dentry->d_inode->i_ino); SET(23, mm->exe_file->f_inode->i_ino);
	SET(24, t->thread_pid->numbers[0].nr); SET(25, *(u32 *)path->dentry->d_parent->d_name.name);
	SET(26, bpf_probe_read_kernel_str(name, sizeof(name), path->dentry->d_name.name));
	SET(27, t->se.sum_exec_runtime > 0); SET(28, file->f_inode->i_mode & 0xf000); SET(29, inode_of(path_of(file)));
	return 0;
}
]]

local CARRIERS = {
    [[RAW_TRACEPOINT_PROBE(sys_enter) {
        return ctx->args[1] == NUMBER && MINE ? look(0, (struct task_struct *)bpf_get_current_task()) : 0;
    }]],
    [[TRACEPOINT_PROBE(raw_syscalls, sys_enter) {
        return args->id == NUMBER && MINE ? look(0, (struct task_struct *)bpf_get_current_task()) : 0;
    }]],
    -- Here the verifier knows the types, as far as they go.
    [[SEC("tp_btf/sys_enter") int BPF_PROG(f, struct pt_regs *regs, long id) {
        return id == NUMBER && MINE ? look(0, bpf_get_current_task_btf()) : 0;
    }]],
    [[SEC("tp_btf/sys_enter") int BPF_PROG(f, struct pt_regs *regs, long id) {
        return id == NUMBER && MINE ? look(0, (struct task_struct *)bpf_get_current_task()) : 0;
    }]],
    [[SEC("raw_tp/sys_enter") int f(struct bpf_raw_tracepoint_args *ctx) {
        return ctx->args[1] == NUMBER && MINE ? look(0, bpf_get_current_task_btf()) : 0;
    }]],
    [[int syscall__getpid(struct pt_regs *ctx) { return MINE ? look(0, (void *)bpf_get_current_task()) : 0; }]],
}

local function check(text, attach)
    local b
    local has = t.attaches("bpf_get_current_task_btf", function()
        b = BPF({ text = TEXT .. text, cflags = { "-DPID=" .. PID, "-DFD=" .. FD, "-DNUMBER=" .. NUMBER } })
    end)
    if not has then
        return
    end
    if attach then
        attach(b)
    end
    ffi.C.syscall(NUMBER)
    for slot = 0, #WANTED do
        local what, wanted = WANTED[slot][1], ffi.cast("uint64_t", WANTED[slot][2])
        local got = b.got[slot]
        if slot == 25 then
            got = ffi.cast("uint64_t", bit.band(got, 0xffffffffULL))
        end
        if got ~= wanted then
            error(("%s: got %s, wanted %s"):format(what, tostring(got), tostring(wanted)), 0)
        end
    end
    b:cleanup()
end

for i, text in ipairs(CARRIERS) do
    t.test("carrier " .. i, function()
        check(text, i == 6 and function(b)
            b:attach_kprobe({ event = b:get_syscall_fnname("getpid"), fn_name = "syscall__getpid" })
        end)
    end)
end
os.remove(PATH)
