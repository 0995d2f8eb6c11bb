-- SPDX-License-Identifier: Apache-2.0
-- Walks over maps that a program changes all the while, from another process: what stays is seen exactly once, what comes and
-- goes at most once, and nothing is lost that is taken out.

local ffi = require("ffi")
local exec = require("bcc.exec")
local t = require("harness")

ffi.cdef("int kill(int pid, int signal);")

local SIGKILL = 9
local STABLE, CHURN = 1000, 3000
local WALKS = 30
-- An emulated kernel is slow.
if os.getenv("BPFLUA_TEST_VM") then
    STABLE, CHURN, WALKS = 50, 150, 3
end

-- At each system call of the writer a key from STABLE on comes and another one goes.
local WRITER = [[
BPF_ARRAY(pid, u32, 1);
BPF_ARRAY(written, u64, 1);
DECLARE
RAW_TRACEPOINT_PROBE(sys_enter)
{
    u32 zero = 0, *writer = pid.lookup(&zero);
    if (!writer || bpf_get_current_pid_tgid() >> 32 != *writer)
        return 0;
    u64 *count = written.lookup(&zero);
    if (!count)
        return 0;
    u64 n = (*count)++;
    u32 come = STABLE + bpf_get_prandom_u32() % CHURN, go = STABLE + bpf_get_prandom_u32() % CHURN;
    CHANGE
    return 0;
}
]]

-- Calls a function while the writer is at work, with what ends the writer: after that nothing changes any more.
local function while_written(b, body)
    local child = exec.run_cmd({ "dd", "if=/dev/zero", "of=/dev/null", "bs=1", "status=none" })
    b.pid[0] = child
    -- Also when the test fails.
    local guard = ffi.gc(ffi.new("char[1]"), function() ffi.C.kill(child, SIGKILL) end)
    exec.cmd_ready()
    while b.written[0] < 100 do
        BPF.sleep(0.005)
    end
    local function finish()
        local before
        ffi.gc(guard, nil)
        ffi.C.kill(child, SIGKILL)
        repeat
            before = b.written[0]
            BPF.sleep(0.02)
        until b.written[0] == before
    end
    local ok, err = xpcall(body, debug.traceback, finish)
    finish()
    if not ok then
        error(err, 0)
    end
end

local function with(declare, change)
    local flags = { "-DSTABLE=" .. STABLE, "-DCHURN=" .. CHURN }
    return BPF({ cflags = flags, text = (WRITER:gsub("DECLARE", function() return declare end):gsub("CHANGE", function() return change end)) })
end

-- What a map of numbers holds for each stable key, and what a walk must find there.
local KINDS = {
    { name = "hash", declare = "BPF_HASH(m, u32, u64, 8192);" },
    { name = "lru_hash", declare = 'BPF_TABLE("lru_hash", u32, u64, m, 65536);' },
    { name = "percpu_hash", declare = "BPF_PERCPU_HASH(m, u32, u64, 8192);" },
    { name = "lru_percpu_hash", declare = 'BPF_TABLE("lru_percpu_hash", u32, u64, m, 65536);' },
    { name = "hash, its elements allocated one by one", declare = 'BPF_F_TABLE("hash", u32, u64, m, 8192, BPF_F_NO_PREALLOC);' },
    { name = "lpm_trie", declare = "struct address { u32 length; u32 key; }; BPF_LPM_TRIE(m, struct address, u64, 8192);", is_trie = true },
}

local CHANGE = "u64 value = come; m.update(&come, &value); m.delete(&go);"
local CHANGE_TRIE = [[struct address a = {.length = 64 - 32, .key = bpf_htonl(come)}, d = {.length = 64 - 32, .key = bpf_htonl(go)};
    u64 value = come; m.update(&a, &value); m.delete(&d);]]

local function key_of(kind, number)
    return kind.is_trie and { length = 32, key = BPF.htonl(number) } or number
end

local function number_of(kind, key)
    return kind.is_trie and BPF.ntohl(key.key) or key
end

-- One walk: how often each number was met; every value is that of its key.
local function walk(kind, map)
    local met = {}
    for key, value in map:items() do
        local number = number_of(kind, key)
        met[number] = (met[number] or 0) + 1
        if type(value) == "table" then
            value = value:max()
        end
        if value ~= number then
            error(("the value of %d is %s"):format(number, tostring(value)))
        end
    end
    return met
end

local function check(kind, met)
    for number = 0, STABLE - 1 do
        if met[number] ~= 1 then
            error(("%d was met %d times"):format(number, met[number] or 0))
        end
    end
    local churned = 0
    for number, times in pairs(met) do
        if times ~= 1 or number >= STABLE + CHURN then
            error(("%d was met %d times"):format(number, times))
        end
        churned = churned + (number >= STABLE and 1 or 0)
    end
    return churned
end

-- Keys, values and the count go the same way.
local function check_others(kind, map)
    local keys, values = 0, 0
    for key in map:keys() do
        keys = keys + (number_of(kind, key) < STABLE and 1 or 0)
    end
    for value in map:values() do
        values = values + ((type(value) == "table" and value:max() or value) < STABLE and 1 or 0)
    end
    t.equal(keys, STABLE)
    t.equal(values, STABLE)
    t.equal(#map >= STABLE, true)
end

for _, kind in ipairs(KINDS) do
    t.test("walks over a " .. kind.name, function()
        local b = with(kind.declare, kind.is_trie and CHANGE_TRIE or CHANGE)
        for number = 0, STABLE - 1 do
            b.m:set(key_of(kind, number), number)
        end
        while_written(b, function()
            local started, churned, walks = b.written[0], 0, 0
            -- Until the writer was at work meanwhile, and its elements were met.
            repeat
                churned = churned + check(kind, walk(kind, b.m))
                walks = walks + 1
            until walks >= WALKS and churned > 0 and b.written[0] > started
            check_others(kind, b.m)
        end)
        b:close()
    end)
end

t.test("arrays are whole, whatever is written into them", function()
    local b = with("BPF_ARRAY(m, u64, 64); BPF_PERCPU_ARRAY(p, u64, 64);",
        "u32 at = come % 32; u64 *one = m.lookup(&at); if (one) (*one)++; one = p.lookup(&at); if (one) (*one)++;")
    for i = 32, 63 do
        b.m[i], b.p[i] = i, i
    end
    while_written(b, function()
        for _ = 1, WALKS do
            local met = 0
            for index, value in b.m:items() do
                t.equal(index, met)
                t.equal(index < 32 or value == index, true)
                met = met + 1
            end
            t.equal(met, 64)
            met = 0
            for index, value in b.p:items() do
                t.equal(index < 32 or value:max() == index, true)
                met = met + 1
            end
            t.equal(met, 64)
        end
    end)
    b:close()
end)

t.test("what is drained is neither lost nor taken twice", function()
    -- Each key is new; its value is the key again.
    local b = with("BPF_HASH(m, u64, u64, 2048);", "m.update(&n, &n);")
    local taken, total = {}, 0
    local function drain()
        for key, value in b.m:drain() do
            t.equal(key == value, true)
            local number = tonumber(key)
            if taken[number] then
                error(number .. " was taken twice")
            end
            taken[number] = true
            total = total + 1
        end
    end
    while_written(b, function(finish)
        for _ = 1, WALKS do
            drain()
        end
        finish()
        drain()
    end)
    t.equal(#b.m, 0)
    t.equal(total + b.m:lost(), tonumber(b.written[0]))
    b:close()
end)

t.test("a map may be changed under a walk of its own", function()
    local b = BPF({ text = 'BPF_HASH(m, u32, u64, 8192); struct address { u32 length; u32 key; }; BPF_LPM_TRIE(trie, struct address, u64, 8192);' })
    for number = 1, 2 * STABLE do
        b.m[number] = number
        b.trie[{ length = 32, key = BPF.htonl(number) }] = number
    end
    local met = {}
    for number in b.m:items() do
        met[number] = (met[number] or 0) + 1
        b.m[number] = nil
        b.m[number + 4000] = number + 4000
    end
    for number = 1, 2 * STABLE do
        t.equal(met[number], 1)
    end
    local count = 0
    for key in b.trie:items() do
        count = count + 1
        b.trie:delete(key)
    end
    t.equal(count, 2 * STABLE)
    t.equal(#b.trie, 0)
    b:close()
end)

t.test("struct keys as keys of Lua tables", function()
    local b = with("struct key { u32 number; char name[8]; u32 flag; }; BPF_HASH(m, struct key, u64, 8192);",
        'struct key k = {.number = come, .name = "volatil"}, g = {.number = go, .name = "volatil"}; u64 value = come; m.update(&k, &value); m.delete(&g);')
    for number = 0, STABLE - 1 do
        b.m[{ number = number, name = "stable", flag = 1 }] = number
    end
    local seen, first = {}, nil
    while_written(b, function()
        for _ = 1, WALKS do
            for key, value in b.m:items() do
                seen[key:tuple()] = (seen[key:tuple()] or 0) + 1
                t.equal(value == key.number, true)
                first = first or key.flag == 1 and key or nil
            end
        end
    end)
    for number = 0, STABLE - 1 do
        t.equal(seen[b.m:Key({ number = number, name = "stable", flag = 1 }):tuple()], WALKS)
    end
    -- A key that was kept is the same as one that comes later, and finds its value.
    t.equal(b.m[first] == first.number and first == b.m:Key(first:to_table()), true)
    t.equal(({ [first] = 1 })[first:copy()], nil)
    b:close()
end)
