-- SPDX-License-Identifier: Apache-2.0
-- What probes cost by the kernel's statistics; detaching by probe; what the whole system holds.

local t = require("harness")
local ffi = require("ffi")

ffi.cdef("int getppid(void); int getpid(void);")

local b = BPF({ text = [[
BPF_HASH(tiny, u32, u32, 1);
BPF_ARRAY(calls, u64, 1);
int on_getppid(struct pt_regs *ctx)
{
    u32 key = bpf_ktime_get_ns();
    calls.increment(0);
    tiny.update(&key, &key);
    return 0;
}
RAW_TRACEPOINT_PROBE(sys_exit) { return 0; }
]] })

t.test("runs, time and losses of the time that is measured", function()
    b:attach_uprobe({ name = "c", sym = "getppid", fn_name = "on_getppid" })
    ffi.C.getppid()
    local timer = BPF.after(0.01, function()
        for _ = 1, 100 do
            ffi.C.getppid()
        end
    end)
    local costs = b:cost(0.2)
    BPF.cancel(timer)
    t.equal(#costs, 2)
    t.equal(costs[1].kind, "raw_tracepoint")
    t.equal(costs[1].runs >= 100, true)
    local uprobe = costs[2]
    t.equal(table.concat(uprobe.targets), "c:getppid")
    t.equal(uprobe.fn_name, "on_getppid")
    t.equal(uprobe.runs, 100)
    t.equal(tonumber(b.calls[0]), 101)
    t.equal(uprobe.ns_per_run, uprobe.time_ns / 100)
    t.equal(uprobe.time_ns > 100 and uprobe.cpu > 0 and uprobe.cpu < 1, true)
    t.equal(uprobe.missed, 0)
    table.sort(uprobe.maps)
    t.equal(table.concat(uprobe.maps, " "), "calls tiny")
    t.equal(uprobe.lost, 100)
    t.equal(b.tiny:lost(), 100)
    t.equal(#costs[1].maps, 0)
    t.contains(t.fails(b.cost, b, -1), "a number of seconds from 0")
end)

t.test("the counting ends with the measurement", function()
    local enabled = io.open("/proc/sys/kernel/bpf_stats_enabled"):read("*n")
    if enabled == 0 then
        local before = b:probes()[2].runs
        ffi.C.getppid()
        t.equal(b:probes()[2].runs, before)
    end
    local ok = pcall(function()
        BPF.after(0.01, function() error("from a handler", 0) end)
        b:cost(1)
    end)
    t.equal(ok, false)
end)

t.test("probes of one program are counted together", function()
    b:attach_uprobe({ name = "c", sym = "getpid", fn_name = "on_getppid" })
    local costs = b:cost(0)
    t.equal(#costs, 2)
    t.equal(table.concat(costs[2].targets, " "), "c:getppid c:getpid")
    t.equal(#costs[2].probes, 2)
    t.equal(costs[2].ns_per_run, nil)
end)

local function find(list, name, value)
    for _, one in ipairs(list) do
        if one[name] == value then
            return one
        end
    end
end

t.test("what the whole system holds", function()
    local pid = io.open("/proc/self/stat"):read("*n")
    local map = find(BPF.list_maps(), "name", "tiny")
    t.equal(map.kind .. " " .. map.key_size .. " " .. map.value_size .. " " .. map.max_entries, "hash 4 4 1")
    t.equal(map.holders[1].pid, pid)
    t.equal(map.holders[1].comm, "bpflua")
    t.equal(map.memory_bytes > 0, true)
    local program = find(BPF.list_programs(), "name", "on_getppid")
    t.equal(program.kind, "kprobe")
    t.equal(program.uid, 0)
    t.equal(#program.maps >= 2 and find(BPF.list_maps(), "id", program.maps[1]) ~= nil, true)
    t.equal(program.xlated_bytes > 0 and program.loaded_ns > 0, true)
    local links = BPF.list_links()
    local raw = find(links, "target", "sys_exit")
    t.equal(raw.kind, "raw_tracepoint")
    t.equal(find(BPF.list_programs(), "id", raw.program).kind, "raw_tracepoint")
    local has_links = find(links, "program", program.id)
    -- Before 5.15, a perf event is no link; before 6.6 a link does not say what it is attached to.
    if has_links and has_links.target ~= "" then
        t.contains(has_links.target, "libc.so.6")
    end
end)

t.test("probes are detached one by one", function()
    local probes = b:probes()
    t.equal(#probes, 3)
    b:detach(probes[2])
    b:detach(probes[3].id)
    t.equal(#b:probes(), 1)
    local before = tonumber(b.calls[0])
    ffi.C.getppid()
    t.equal(tonumber(b.calls[0]), before)
    t.contains(t.fails(b.detach, b, probes[2]), "it is not attached")
    t.contains(t.fails(b.detach, b, {}), "it is no probe of `b:probes()`")
    t.contains(t.fails(b.detach, b, "c:getppid"), "it must be a table or a whole number from 0")
end)
