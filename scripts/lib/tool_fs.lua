-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What tools about files have in common: the system calls that read and write, and names of what is no file on a disk.

local ffi = require("ffi")
local bit = require("bit")
local attach = require("bpflua.tool_attach")
local paths = require("bpflua.tool_paths")

local M = {}

-- Their first argument is the descriptor.
M.READS = { "read", "pread64", "readv", "preadv", "preadv2" }
M.WRITES = { "write", "pwrite64", "writev", "pwritev", "pwritev2" }
M.OPENS = { "open", "creat", "openat", "openat2" }

-- `S_IFMT` of a mode: the letter that `ls -l` has for it (a regular file is R, as in bcc's tools), and a word.
local KINDS = {
    [0x1000] = { "P", "pipe" }, [0x2000] = { "C" }, [0x4000] = { "D" }, [0x6000] = { "B" }, [0x8000] = { "R" }, [0xc000] = { "S", "socket" },
}

---The letter of a file's kind: R (regular), D, C, B, S (socket), P (pipe), O (other).
---@param mode integer of an inode
---@return string
function M.letter(mode)
    local kind = KINDS[bit.band(mode, 0xf000)]
    return kind and kind[1] or "O"
end

---What a file is called: its path, or what `/proc/PID/fd` shows for one that has none.
---@param path cdata `struct bpf_path_names`
---@param mode integer
---@param ino integer|cdata
---@return string
function M.file_text(path, mode, ino)
    local kind = KINDS[bit.band(mode, 0xf000)]
    if path.size > 0 or kind and bit.band(mode, 0xf000) == 0x4000 then
        return paths.text(path)
    end
    return ("%s:[%s]"):format(kind and kind[2] or "anon_inode", tostring(ino):match("%d+"))
end

pcall(ffi.cdef, [[
struct bpflua_statx {
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, spare;
    uint64_t ino, size, blocks, attributes_mask;
    uint8_t times[64];
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint8_t more[120];
};
int getpid(void);
int statx(int folder, const char *path, int flags, unsigned mask, struct bpflua_statx *out);
]])

---This process: what it writes itself would make it write again.
---@return integer
function M.own_pid()
    return ffi.C.getpid()
end

---What the kernel knows a file by.
---@param path string
---@return {ino: cdata, dev: integer, rdev: integer, mode: integer}? facts `dev` and `rdev` as the kernel has them: major << 20 | minor
---@return integer? errno
function M.stat(path)
    local out = ffi.new("struct bpflua_statx")
    if ffi.C.statx(-100, path, 0, 0x7ff, out) ~= 0 then
        return nil, ffi.errno()
    end
    return {
        ino = out.ino, mode = out.mode,
        dev = out.dev_major * 2 ^ 20 + out.dev_minor, rdev = out.rdev_major * 2 ^ 20 + out.rdev_minor,
    }
end

-- ---------------------------------------------------------------- operations of one kind of file system

-- Each fsslower, fsdist and their kin: operations are measured in the functions of the file system, whoever calls them, or else in the
-- system calls on files that are of that kind.
M.OPERATIONS_TEXT = [[
#include <linux/fs.h>
#include <linux/sched.h>
#include <bpflua/files.h>

enum { READ, WRITE, OPEN, FSYNC };

const volatile u32 only_pid = 0, own_pid = 0;
const volatile u64 type_name = 0, other_name = 0; // of the file system, in the order of bytes

struct operation {
    u64 at, offset;
    struct file *file;
    u32 kind;
};

BPF_HASH(operations, u64, struct operation, 10240);

static int done(void *ctx, struct operation *operation, u64 ns, s64 result);

static __always_inline int begin(struct file *file, u32 kind, u64 offset)
{
    u64 id = bpf_get_current_pid_tgid();
    struct operation operation = { bpf_ktime_get_ns(), offset, file, kind };

    if ((only_pid && id >> 32 != only_pid) || id >> 32 == own_pid)
        return 0;
    operations.update(&id, &operation);
    return 0;
}

static __always_inline int end(void *ctx, s64 result)
{
    u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();
    struct operation *operation = operations.lookup(&id);

    if (!operation)
        return 0;
    done(ctx, operation, now - operation->at, result);
    operations.delete(&id);
    return 0;
}

int on_read(struct pt_regs *ctx, struct kiocb *iocb)
{
    return begin(iocb->ki_filp, READ, iocb->ki_pos);
}

int on_write(struct pt_regs *ctx, struct kiocb *iocb)
{
    return begin(iocb->ki_filp, WRITE, iocb->ki_pos);
}

int on_open(struct pt_regs *ctx, struct inode *inode, struct file *file)
{
    return begin(file, OPEN, 0);
}

int on_fsync(struct pt_regs *ctx, struct file *file, s64 first)
{
    return begin(file, FSYNC, first);
}

int on_end(struct pt_regs *ctx)
{
    return end(ctx, PT_REGS_RC(ctx));
}

static __always_inline bool is_of_type(struct file *file)
{
    const char *name = file->f_inode->i_sb->s_type->name;
    u64 start = 0;

    bpf_probe_read_kernel_str(&start, sizeof(start), name);
    return start == type_name || (other_name && start == other_name);
}

// An offset below 0 is that of the file.
static __always_inline int enter(int fd, u32 kind, s64 offset)
{
    struct file *file = bpf_file_of(fd);

    if (!file || !S_ISREG(file->f_inode->i_mode) || !is_of_type(file))
        return 0;
    return begin(file, kind, offset < 0 ? file->f_pos : offset);
}

int enter_read(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(ctx->args[0], READ, -1);
}

int enter_write(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(ctx->args[0], WRITE, -1);
}

int enter_pread(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(ctx->args[0], READ, ctx->args[3]);
}

int enter_pwrite(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(ctx->args[0], WRITE, ctx->args[3]);
}

int enter_fsync(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return enter(ctx->args[0], FSYNC, 0);
}

// Which file system it is about shows at the end.
int enter_open(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return begin(0, OPEN, 0);
}

int exit_call(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    return end(ctx, ctx->ret);
}

int exit_open(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    struct operation *operation = operations.lookup(&id);
    struct file *file = ctx->ret >= 0 ? bpf_file_of(ctx->ret) : 0;

    if (!operation)
        return 0;
    if (!file || !is_of_type(file)) {
        operations.delete(&id);
        return 0;
    }
    operation->file = file;
    return end(ctx, ctx->ret);
}
]]

M.OPERATIONS = { [0] = "read", "write", "open", "fsync" }

-- Functions of file systems, in the order of OPERATIONS; several where kernels differ.
local FUNCTIONS = {
    ext4 = { { "ext4_file_read_iter" }, { "ext4_file_write_iter" }, { "ext4_file_open" }, { "ext4_sync_file" } },
    xfs = { { "xfs_file_read_iter" }, { "xfs_file_write_iter" }, { "xfs_file_open" }, { "xfs_file_fsync" } },
    btrfs = { { "btrfs_file_read_iter" }, { "btrfs_file_write_iter" }, { "btrfs_file_open" }, { "btrfs_sync_file" } },
    nfs = { { "nfs_file_read" }, { "nfs_file_write" }, { "nfs4_file_open", "nfs_file_open" }, { "nfs_file_fsync" } },
    overlay = { { "ovl_read_iter" }, { "ovl_write_iter" }, { "ovl_open" }, { "ovl_fsync" } },
    f2fs = { { "f2fs_file_read_iter" }, { "f2fs_file_write_iter" }, { "f2fs_file_open" }, { "f2fs_sync_file" } },
    fuse = { { "fuse_file_read_iter" }, { "fuse_file_write_iter" }, { "fuse_open" }, { "fuse_fsync" } },
}
local OTHER_NAMES = { nfs = "nfs4", fuse = "fuseblk" }
local PROBES = { "on_read", "on_write", "on_open", "on_fsync" }

-- The first eight bytes of a name as the kernel reads them into a number.
local function as_number(name)
    local value = ffi.new("union { char text[8]; uint64_t number; }")
    ffi.copy(value.text, name, math.min(#name, 7))
    return value.number
end

local function one_of(names)
    for _, name in ipairs(names) do
        if BPF.ksymname(name) ~= -1 then
            return name
        end
    end
    return names[1]
end

-- The attachments of the functions of a kind of file system; nil when they are not known.
local function functions_of(kind)
    local way = {}
    for i, names in ipairs(FUNCTIONS[kind] or {}) do
        local name = one_of(names)
        way[#way + 1] = { event = name, fn_name = "on_end", retprobe = true }
        way[#way + 1] = { event = name, fn_name = PROBES[i] }
    end
    return #way > 0 and way or nil
end

local function system_calls()
    local parts = {
        (attach.of_syscalls({ "fsync", "fdatasync" }, { enter = "enter_fsync", exit = "exit_call" })),
        (attach.of_syscalls(M.OPENS, { enter = "enter_open", exit = "exit_open" })),
    }
    for _, names in ipairs({ M.READS, M.WRITES }) do
        for _, name in ipairs(names) do
            parts[#parts + 1] = attach.of_syscalls({ name }, { enter = "enter_" .. name:match("^(.-)[v%d]*$"), exit = "exit_call" })
        end
    end
    return attach.together(unpack(parts))
end

local function is_known(kind)
    for line in io.lines("/proc/filesystems") do
        if line:match("%S+$") == kind then
            return true
        end
    end
    return FUNCTIONS[kind] ~= nil
end

---Makes the object of a tool about one kind of file system and attaches it.
---@param tool bpflua.Tool
---@param kind string as in `/proc/filesystems`
---@param text string C that defines `done`
---@param constants table
---@param syscalls boolean measures system calls, though functions might do
---@return bpflua.BPF b
---@return boolean by_calls whether system calls are measured
function M.attach_operations(tool, kind, text, constants, syscalls)
    if not is_known(kind) then
        tool:fail(("cannot trace the file system `%s`"):format(kind), "this kernel has none of that name; /proc/filesystems lists them")
    end
    constants.own_pid = M.own_pid()
    constants.type_name, constants.other_name = as_number(kind), OTHER_NAMES[kind] and as_number(OTHER_NAMES[kind]) or nil
    local b = BPF{ text = M.OPERATIONS_TEXT .. text, attach = false, constants = constants }
    local ways = { not syscalls and functions_of(kind) or nil }
    ways[#ways + 1] = system_calls()
    local way = tool:attach(b, ways)
    return b, way == #ways
end

return M
