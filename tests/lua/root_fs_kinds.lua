-- SPDX-License-Identifier: Apache-2.0
-- The tools of one kind of file system, on a file system of that kind: each operation of a program, with its bytes and place.

local t = require("harness")
local modules = require("help.modules")
local programs = require("help.programs")
local tool = require("help.tool")

-- What the kernel modules of a kind need comes before them.
local KINDS = {
    { name = "ext4", modules = { "crc16", "mbcache", "jbd2", "ext4" }, megabytes = 16 },
    { name = "xfs", modules = { "libcrc32c", "xfs" }, megabytes = 320 },
    { name = "btrfs", modules = { "libcrc32c", "zstd_compress", "xor", "raid6_pq", "btrfs" }, megabytes = 128 },
}

local WORK = [[python3 -c '
import os, sys
f = os.open(sys.argv[1] + "/file", os.O_CREAT | os.O_RDWR)
for i in range(4): os.pwrite(f, b"x" * 5000, i * 8192)
os.fsync(f)
for i in range(3): os.pread(f, 5000, i * 8192)
print(os.getpid(), flush=True)
sys.stdin.read()
' %s </dev/null]]

-- Why there can be no such file system, or the folder that a new one is mounted at.
local function mounted(kind, folder)
    if not BPF.find_exe("mkfs." .. kind.name) then
        return nil, "there is no program `mkfs." .. kind.name .. "`"
    end
    modules.load("loop", unpack(kind.modules))
    local image, at = folder .. "/image", folder .. "/mounted"
    programs.run(("mkdir %s && truncate -s %dM %s && mkfs.%s %s >/dev/null 2>&1 && echo made"):format(at, kind.megabytes, image, kind.name, image))
    local told = programs.run(("mount -t %s -o loop %s %s 2>&1 || true"):format(kind.name, image, at))
    if told ~= "" then
        return nil, told:match("[^\n]*")
    end
    return at
end

local function counts(rows, pid, path)
    local found = {}
    for _, row in ipairs(rows) do
        if row.pid == pid and row.file == path then
            found[row.op] = (found[row.op] or 0) + 1
        end
    end
    return found
end

local function check(kind, at)
    local pid
    local slower = tool.run(kind .. "slower", { "--json", "0" }, function(running)
        pid = tonumber(tool.sh(WORK:format(at)))
        running:sees('"R","bytes":5000,"offset":16,')
    end)
    local found = counts(slower:rows(), pid, at .. "/file")
    t.equal(("%s %s %s %s"):format(found.W, found.R, found.O, found.S), "4 3 1 1")
    t.equal(slower:row({ pid = pid, op = "W", offset = 24 }).bytes, 5000)

    local dist = tool.run(kind .. "dist", { "--json" }, function()
        tool.sh(WORK:format(at))
    end)
    local sums = {}
    for _, row in ipairs(dist:rows()) do
        for _, bucket in ipairs(row.histogram.buckets) do
            sums[row.histogram.section] = (sums[row.histogram.section] or 0) + bucket.count
        end
    end
    assert(sums.write >= 4 and sums.read >= 3 and sums.open >= 1 and sums.fsync >= 1, dist.out)
end

for _, kind in ipairs(KINDS) do
    t.test(kind.name, function()
        programs.in_folder(function(folder)
            local at, why = mounted(kind, folder)
            if not at then
                return t.skip(kind.name, why)
            end
            local ok, failed = pcall(check, kind.name, at)
            programs.run("umount " .. at)
            assert(ok, failed)
        end)
    end)
end

-- A file system of the network needs a server; that they start is what can be seen without one.
for _, name in ipairs({ "nfsslower", "nfsdist" }) do
    t.test(name, function()
        t.contains(tool.sh(("'%s' %s --help"):format(tool.self(), name)), "Usage: " .. name)
    end)
end
