-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What tools about files have in common: the system calls that read and write, and names of what is no file on a disk.

local ffi = require("ffi")
local bit = require("bit")
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

return M
