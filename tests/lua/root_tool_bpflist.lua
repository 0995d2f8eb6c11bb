-- SPDX-License-Identifier: Apache-2.0
-- bpflist: this process with its programs, maps and links.

local t = require("harness")
local tool = require("help.tool")

local b = BPF{ text = [[
BPF_HASH(listed_map, u32);
RAW_TRACEPOINT_PROBE(sched_process_exec) { u32 key = 1; u64 value = 2; listed_map.update(&key, &value); return 0; }
]] }
local pid = tonumber(tool.sh("ps -o ppid= -p $$ 2>/dev/null || cut -d' ' -f4 /proc/$$/stat"):match("%d+"))

local function list(...)
    local outcome = tool.start("bpflist", { "--json", ... }):finish(false)
    t.equal(outcome.status, 0)
    return outcome
end

t.test("counts by type", function()
    local found = list()
    for _, kind in ipairs({ "prog", "map", "link" }) do
        local row = found:row({ pid = pid, type = kind })
        assert(row.count >= 1, kind)
        t.equal(row.kind, nil)
    end
end)

t.test("kinds and names", function()
    local found = list("-v", "-o")
    local row = found:row({ pid = pid, name = "listed_map" })
    t.equal(row.kind, "hash")
    t.equal(row.count, 1)
    t.equal(found:row({ pid = pid, type = "link" }).kind, "raw_tracepoint")
end)

b:cleanup()
