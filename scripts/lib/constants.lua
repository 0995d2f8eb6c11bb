-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Numbers of the kernel's that scripts name: types of programs and attachments, perf events, XDP. `BPF.PerfType.SOFTWARE`,
-- `BPF.BPFProgType.XDP`, and for the types of programs shortly `BPF.XDP`, as in bcc's Python.

local ffi = require("ffi")
local debugging = require("bpflua.debugging")
local errors = require("bpflua.errors")
local format = require("bpflua.format")
local native = require("bpflua.native")

local M = {}

-- A set of names; one that it does not have is an error that lists near ones.
local function names(of, values)
    return setmetatable(values, {
        __index = function(_, name)
            errors.unknown(("`BPF.%s` has no `%s`"):format(of, tostring(name)), name, values, "names")
        end,
    })
end

-- include/uapi/linux/perf_event.h, `enum perf_type_id`
M.PerfType = names("PerfType", {
    HARDWARE = 0,
    SOFTWARE = 1,
    TRACEPOINT = 2,
    HW_CACHE = 3,
    RAW = 4,
    BREAKPOINT = 5,
})

-- `enum perf_hw_id`
M.PerfHWConfig = names("PerfHWConfig", {
    CPU_CYCLES = 0,
    INSTRUCTIONS = 1,
    CACHE_REFERENCES = 2,
    CACHE_MISSES = 3,
    BRANCH_INSTRUCTIONS = 4,
    BRANCH_MISSES = 5,
    BUS_CYCLES = 6,
    STALLED_CYCLES_FRONTEND = 7,
    STALLED_CYCLES_BACKEND = 8,
    REF_CPU_CYCLES = 9,
})

-- `enum perf_sw_ids`
M.PerfSWConfig = names("PerfSWConfig", {
    CPU_CLOCK = 0,
    TASK_CLOCK = 1,
    PAGE_FAULTS = 2,
    CONTEXT_SWITCHES = 3,
    CPU_MIGRATIONS = 4,
    PAGE_FAULTS_MIN = 5,
    PAGE_FAULTS_MAJ = 6,
    ALIGNMENT_FAULTS = 7,
    EMULATION_FAULTS = 8,
    DUMMY = 9,
    BPF_OUTPUT = 10,
    CGROUP_SWITCHES = 11,
})

-- `enum perf_event_sample_format`: one bit each, in this order
local SAMPLE_BITS = {
    "IP", "TID", "TIME", "ADDR", "READ", "CALLCHAIN", "ID", "CPU", "PERIOD", "STREAM_ID", "RAW", "BRANCH_STACK",
    "REGS_USER", "STACK_USER", "WEIGHT", "DATA_SRC", "IDENTIFIER", "TRANSACTION", "REGS_INTR", "PHYS_ADDR", "AUX",
    "CGROUP", "DATA_PAGE_SIZE", "CODE_PAGE_SIZE", "WEIGHT_STRUCT",
}
local sample_format = {}
for i, name in ipairs(SAMPLE_BITS) do
    sample_format[name] = 2 ^ (i - 1)
end
M.PerfEventSampleFormat = names("PerfEventSampleFormat", sample_format)

-- include/uapi/linux/bpf.h, `enum xdp_action`
M.XDPAction = names("XDPAction", { XDP_ABORTED = 0, XDP_DROP = 1, XDP_PASS = 2, XDP_TX = 3, XDP_REDIRECT = 4 })

-- include/uapi/linux/if_link.h, `XDP_FLAGS_…`
M.XDPFlags = names("XDPFlags", { UPDATE_IF_NOEXIST = 1, SKB_MODE = 2, DRV_MODE = 4, HW_MODE = 8, REPLACE = 16 })

M.BPFProgType = names("BPFProgType", native.programs.prog_types())
M.BPFAttachType = names("BPFAttachType", native.programs.attach_types())

-- include/uapi/linux/perf_event.h, up to PERF_ATTR_SIZE_VER7
local PERF_EVENT_ATTR = [[
typedef struct {
    uint32_t type;
    uint32_t size;
    uint64_t config;
    union { uint64_t sample_period; uint64_t sample_freq; };
    uint64_t sample_type;
    uint64_t read_format;
    uint32_t disabled:1, inherit:1, pinned:1, exclusive:1, exclude_user:1, exclude_kernel:1, exclude_hv:1,
        exclude_idle:1, mmap:1, comm:1, freq:1, inherit_stat:1, enable_on_exec:1, task:1, watermark:1, precise_ip:2,
        mmap_data:1, sample_id_all:1, exclude_host:1, exclude_guest:1, exclude_callchain_kernel:1,
        exclude_callchain_user:1, mmap2:1, comm_exec:1, use_clockid:1, context_switch:1, write_backward:1,
        namespaces:1, ksymbol:1, bpf_event:1, aux_output:1;
    uint32_t cgroup:1, text_poke:1, build_id:1, inherit_thread:1, remove_on_exec:1, sigtrap:1, reserved_1:26;
    union { uint32_t wakeup_events; uint32_t wakeup_watermark; };
    uint32_t bp_type;
    union { uint64_t bp_addr; uint64_t kprobe_func; uint64_t uprobe_path; uint64_t config1; };
    union { uint64_t bp_len; uint64_t kprobe_addr; uint64_t probe_offset; uint64_t config2; };
    uint64_t branch_sample_type;
    uint64_t sample_regs_user;
    uint32_t sample_stack_user;
    int32_t clockid;
    uint64_t sample_regs_intr;
    uint32_t aux_watermark;
    uint16_t sample_max_stack;
    uint16_t reserved_2;
    uint32_t aux_sample_size;
    uint32_t reserved_3;
    uint64_t sig_data;
} bpflua_perf_event_attr;
]]

local perf_event_attr
local function attr_type()
    if not perf_event_attr then
        ffi.cdef(PERF_EVENT_ATTR)
        perf_event_attr = ffi.typeof("bpflua_perf_event_attr")
    end
    return perf_event_attr
end

-- Whether the member holds the value now: C's conversions cut off what does not fit.
local function set(attr, name, value)
    attr[name] = value
    local held = attr[name]
    -- To the FFI, the largest unsigned number equals -1.
    return type(value) == "boolean" or held == value and tonumber(held) == tonumber(value)
end

local function members()
    local known = {}
    for name in PERF_EVENT_ATTR:gmatch("([%w_]+)[:%d]*[,;]") do
        known[name] = true
    end
    return known
end

M.Perf = {}

---The attributes of a perf event for `attach_perf_event_raw`: the kernel's `struct perf_event_attr`, its members as fields.
---@param values? table values of members; the others are 0
---@return ffi.cdata*
function M.Perf.perf_event_attr(values)
    errors.arguments("perf_event_attr", { "values", "table" }, values)
    local attr = attr_type()()
    for name, value in pairs(values or {}) do
        local ok, holds = pcall(set, attr, name, value)
        if not ok or not holds then
            local known = members()
            if not known[name] then
                errors.unknown(("a perf_event_attr has no member `%s`"):format(tostring(name)), name, known, "members")
            end
            errors.fail({
                what = ("cannot set `%s` of a perf_event_attr"):format(name),
                why = ok and ("%s does not fit"):format(format.text(value)) or "it takes a number, not a " .. errors.type_name(value),
            })
        end
    end
    return attr
end

---The bytes of attributes, given as cdata or as a table of members.
---@param attr table|ffi.cdata*
---@return string
function M.perf_attr_bytes(attr)
    if type(attr) == "table" then
        attr = M.Perf.perf_event_attr(attr)
    end
    local ok, bytes = pcall(ffi.string, attr, ffi.sizeof(attr))
    if not ok then
        errors.fail({
            what = "option `attr` of `attach_perf_event_raw` is a " .. errors.type_name(attr),
            why = "it must be what `BPF.Perf.perf_event_attr` gives, or a table of its members",
        })
    end
    return bytes
end

---Gives a class the names that bcc's Python has at BPF itself.
---@param class table
function M.install(class)
    for _, set in ipairs({ "PerfType", "PerfHWConfig", "PerfSWConfig", "PerfEventSampleFormat", "XDPAction", "XDPFlags",
        "BPFProgType", "BPFAttachType", "Perf" }) do
        class[set] = M[set]
    end
    for name, number in pairs(M.BPFProgType) do
        class[name] = number
    end
    for name, number in pairs(M.XDPAction) do
        class[name] = number
    end
    for name, number in pairs(debugging.BITS) do
        class[name] = number
    end
    for name, number in pairs(M.XDPFlags) do
        class["XDP_FLAGS_" .. name] = number
    end
end

return M
