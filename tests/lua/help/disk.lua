-- SPDX-License-Identifier: Apache-2.0
-- A disk of its own for tests of tools on block devices: a file behind a loop device, and requests of known number and size.

local modules = require("help.modules")
local programs = require("help.programs")
local tool = require("help.tool")

local M = {}

local WRITE = "sh -c 'echo $$; exec dd if=/dev/zero of=%s bs=%d count=%d oflag=direct 2>/dev/null'"
local READ = "sh -c 'echo $$; exec dd if=%s of=/dev/null bs=%d count=%d iflag=direct 2>/dev/null'"

---Calls a function with a disk of 4 MiB, which is gone afterwards.
---@param body fun(path: string, name: string) `/dev/loop0`, `loop0`
function M.with(body)
    modules.load("loop")
    programs.in_folder(function(folder)
        local file = folder .. "/disk"
        programs.run(("dd if=/dev/zero of=%s bs=1M count=4"):format(file))
        local make = "losetup -f --show %s 2>/dev/null || { busybox losetup /dev/loop0 %s && echo /dev/loop0; }"
        local path = programs.run(make:format(file, file)):match("%S+")
        local ok, why = xpcall(body, debug.traceback, path, path:match("[^/]+$"))
        programs.run(("losetup -d %s || busybox losetup -d %s"):format(path, path))
        assert(ok, why)
    end)
end

---Writes so many times so many bytes, past the page cache.
---@return integer pid of the process that did
function M.write(path, bytes, count)
    return tonumber(tool.sh(WRITE:format(path, bytes, count)))
end

---Reads so many times so many bytes, past the page cache.
---@return integer pid of the process that did
function M.read(path, bytes, count)
    return tonumber(tool.sh(READ:format(path, bytes, count)))
end

---The counts of a histogram as JSON, together.
---@param buckets {count: integer}[]
function M.total(buckets)
    local total = 0
    for _, bucket in ipairs(buckets) do
        total = total + bucket.count
    end
    return total
end

return M
