-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- hardirqs and softirqs, but for what they are attached to: totals or histograms by handler.

---@class ToolIrqs
---@field says string a line for people, when tracing begins
---@field section string what a handler is: "hardirq"
---@field text string C: the maps `totals` and `dists`, the constants `only_cpu`, `with_hist` and `unit`
---@field name_of fun(key: any): string the name of a handler by its key in the maps

local M = {}

---Ends the tool when its options exclude each other.
---@param tool bpflua.Tool
function M.check(tool)
    local args = tool.args
    if args.count and (args.dist or args.nanoseconds) then
        tool:fail("cannot count events and show their time", "-C goes with neither -d nor -N")
    end
end

local function print_totals(tool, totals, name_of)
    local rows, now = {}, os.date("%H:%M:%S")
    for key, total in totals:drain() do
        rows[#rows + 1] = {
            time = now,
            name = name_of(key),
            count = tonumber(total.count),
            total_us = tonumber(total.time) / 1000,
            total_ns = tonumber(total.time),
        }
    end
    table.sort(rows, function(x, y)
        local by = tool.args.count and "count" or "total_ns"
        return x[by] < y[by]
    end)
    for _, row in ipairs(rows) do
        tool:print(row)
    end
end

---Runs the tool.
---@param tool bpflua.Tool
---@param irqs ToolIrqs
function M.run(tool, irqs)
    local args = tool.args
    local unit = args.nanoseconds and 1 or 1000
    local b = BPF({ text = irqs.text, constants = { only_cpu = args.cpu, with_hist = args.dist, unit = unit } })
    tool:say(irqs.says)
    tool:run({
        interval = args.interval,
        count = args.outputs,
        each = function()
            if not args.dist then
                return print_totals(tool, b.totals, irqs.name_of)
            end
            tool:hist(b.dists, {
                title = args.timestamp and os.date("%H:%M:%S") or nil,
                unit = args.nanoseconds and "nsecs" or "usecs",
                section = irqs.section,
                section_fn = irqs.name_of,
                clear = true,
            })
        end,
    })
end

return M
