-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Names and numbers of disks, for tools on block devices.

local errors = require("bpflua.errors")

local M = {}

-- A kernel's `dev_t`: the minor number has 20 bits.
local MINORS = 2 ^ 20

local function read_line(path)
    local file = io.open(path)
    local line = file and file:read("*l")
    if file then
        file:close()
    end
    return line
end

local function number_of(text)
    local major, minor = (text or ""):match("^(%d+):(%d+)")
    return major and major * MINORS + minor
end

-- A disk's name by its number, as far as it was asked for.
local names = {}

local function read_names()
    for line in io.lines("/proc/diskstats") do
        local major, minor, name = line:match("^%s*(%d+)%s+(%d+)%s+(%S+)")
        if name then
            names[major * MINORS + minor] = name
        end
    end
end

---The name of a disk; `MAJOR:MINOR` of one that is gone.
---@param dev integer|ffi.cdata* the kernel's number
---@return string
function M.name(dev)
    dev = tonumber(dev)
    if not names[dev] then
        pcall(read_names)
        local major, minor = M.split(dev)
        names[dev] = names[dev] or ("%d:%d"):format(major, minor)
    end
    return names[dev]
end

---The two parts of a disk's number.
---@param dev integer|ffi.cdata*
---@return integer major
---@return integer minor
function M.split(dev)
    dev = tonumber(dev)
    return math.floor(dev / MINORS), dev % MINORS
end

---The kernel's number of a disk.
---@param name string `sda`, `/dev/sda`
---@return integer
function M.number(name)
    local short = name:gsub("^/dev/", "")
    local folder = "/sys/class/block/" .. short
    local number = number_of(read_line(folder .. "/dev"))
    if not number or short:find("^%.") then
        errors.fail({ what = ("there is no disk `%s`"):format(name), hints = { "`ls /sys/class/block` shows all" } })
    end
    if read_line(folder .. "/partition") then
        errors.fail({
            what = ("`%s` is a partition"):format(name),
            why = "requests are made to whole disks",
        })
    end
    return number
end

-- Of `enum req_op` (linux/blk_types.h): those whose numbers have always been the same.
local OPERATIONS = {
    [0] = "Read", "Write", "Flush", "Discard", [5] = "SecureErase", [9] = "WriteZeroes", [34] = "DriverIn", [35] = "DriverOut",
}

---The name of a request's operation.
---@param op integer|ffi.cdata* the low 8 bits of `cmd_flags`
---@return string
function M.operation(op)
    op = tonumber(op) % 256
    return OPERATIONS[op] or ("Op%d"):format(op)
end

-- `?` is what has none.
local LETTERS = { Read = "R", Write = "W", Flush = "F", Discard = "D", SecureErase = "E", WriteZeroes = "Z" }

---A letter for a request's operation: R, W, F (flush), D (discard), E (secure erase), Z (zeroes), `?`.
---@param op integer|ffi.cdata*
---@return string
function M.letter(op)
    return LETTERS[M.operation(op)] or "?"
end

-- Flags of a request whose bits are the same in all kernels since 4.18 (`enum req_flag_bits`), in the order they are named in.
local FLAGS = {
    { 11, "Sync" }, { 12, "Metadata" }, { 13, "Priority" }, { 14, "NoMerge" }, { 15, "Idle" }, { 17, "ForcedUnitAccess" },
    { 18, "PreFlush" }, { 19, "ReadAhead" }, { 20, "Background" }, { 21, "NoWait" },
}

---The flags of a request and its operation: `Sync-Write`.
---@param flags integer|ffi.cdata* `cmd_flags`
---@return string
function M.flags(flags)
    flags = tonumber(flags)
    local words = {}
    for _, flag in ipairs(FLAGS) do
        if math.floor(flags / 2 ^ flag[1]) % 2 == 1 then
            words[#words + 1] = flag[2]
        end
    end
    words[#words + 1] = M.operation(flags)
    return table.concat(words, "-")
end

return M
