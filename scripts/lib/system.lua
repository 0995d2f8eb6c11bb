-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Everything of BPF that the kernel holds, whoever loaded it.

local native = require("bpflua.native")

local M = {}

---@class bpflua.Holder a process that has a descriptor
---@field pid integer
---@field comm string

---@class bpflua.SystemProgram
---@field id integer the kernel's number, as `bpftool prog` shows it
---@field kind string the type: kprobe, tracing, xdp …
---@field name string up to 15 characters of it
---@field loaded_ns number when it was loaded, nanoseconds since the start of the system
---@field uid integer who loaded it
---@field xlated_bytes integer its instructions
---@field jited_bytes integer its machine code; 0 when it is interpreted
---@field memory_bytes integer
---@field runs number while the kernel counts them
---@field time_ns number nanoseconds of these
---@field missed number runs that the kernel left out
---@field maps integer[] numbers of the maps that it uses
---@field holders bpflua.Holder[]

---@class bpflua.SystemMap
---@field id integer the kernel's number, as `bpftool map` shows it
---@field kind string the type: hash, array, ringbuf …
---@field name string up to 15 characters of it
---@field key_size integer bytes
---@field value_size integer bytes
---@field max_entries integer
---@field flags integer
---@field memory_bytes integer
---@field holders bpflua.Holder[]

---@class bpflua.SystemLink an attachment
---@field id integer the kernel's number, as `bpftool link` shows it
---@field kind string the type: perf_event, tracing, kprobe_multi, tcx …
---@field program integer the number of its program
---@field target string what it is attached to, in words; empty where the kernel does not tell
---@field missed number runs that the kernel left out at it
---@field holders bpflua.Holder[]

---All BPF programs that the kernel holds. It takes CAP_SYS_ADMIN.
---@return bpflua.SystemProgram[]
function M.list_programs()
    return native.system.programs()
end

---All BPF maps that the kernel holds. It takes CAP_SYS_ADMIN.
---@return bpflua.SystemMap[]
function M.list_maps()
    return native.system.maps()
end

---All BPF links that the kernel holds: what is attached, but for what is attached without a link. It takes CAP_SYS_ADMIN.
---@return bpflua.SystemLink[]
function M.list_links()
    return native.system.links()
end

return M
