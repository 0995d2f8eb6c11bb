-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- The tools fsdist and ext4dist and their kin, but for their heads.

local fs = require("bpflua.tool_fs")

local TEXT = [[
const volatile u64 unit_ns = 1000;

struct key {
    u64 operation, slot;
};

BPF_HISTOGRAM(latencies, struct key, 320);

static __always_inline int done(void *ctx, struct operation *operation, u64 ns, s64 result)
{
    struct key key = { operation->kind, bpf_log2l(ns / unit_ns) };
    latencies.increment(key);
    return 0;
}
]]

---Runs the tool.
---@param tool bpflua.Tool
---@param kind string of the file system
return function(tool, kind)
    local args = tool.args
    local unit = args.milliseconds and "msecs" or "usecs"
    local constants = { only_pid = args.pid, unit_ns = args.milliseconds and 1000000 or 1000 }
    local b, by_calls = fs.attach_operations(tool, kind, TEXT, constants, args.syscalls)
    tool:say(("Tracing %s operation latency%s. Ctrl-C ends."):format(kind, by_calls and ", by the system calls" or ""))
    tool:run({
        interval = args.interval,
        count = args.count,
        each = function()
            tool:hist(b.latencies, {
                unit = unit,
                title = args.interval and not args.notimestamp and os.date("%H:%M:%S:") or nil,
                section = "operation",
                section_fn = function(operation)
                    return fs.OPERATIONS[tonumber(operation)]
                end,
                clear = true,
            })
        end,
    })
end
