-- SPDX-License-Identifier: Apache-2.0
-- Maps with flags, pinned, shared, inside one another, and what the kernel says of them; counters, build ids, adding.

local t = require("harness")
local ffi = require("ffi")
local getpgid = require("help.getpgid")
ffi.cdef("int getpid(void); int getpgid(int pid); int unlink(const char *path); int strcasecmp(const char *one, const char *other);")

local C, PID = ffi.C, ffi.C.getpid()
local FOLDER = "/sys/fs/bpf/bpflua_rows_" .. PID

-- What the kernel says of a map: "map_flags" and the like.
local function says(map, name)
    for line in io.lines("/proc/self/fdinfo/" .. map.fd) do
        local value = line:match("^" .. name .. ":%s*(%S+)")
        if value then
            return tonumber(value)
        end
    end
end

t.test("flags of every macro that takes them reach the kernel", function()
    local b = BPF({ text = ([[
BPF_F_TABLE("hash", u32, u64, sparse, 128, BPF_F_NO_PREALLOC);
BPF_F_TABLE("array", u32, u64, for_programs, 4, BPF_F_RDONLY_PROG);
BPF_F_TABLE("lru_hash", u32, u64, by_cpu, 128, BPF_F_NO_COMMON_LRU);
BPF_TABLE_PINNED("hash", u32, u64, pinned, 16, "PATH", BPF_F_NO_PREALLOC);
BPF_TABLE("hash", u32, u64, plain, 16);
int f(struct pt_regs *ctx) { return 0; }]]):gsub("PATH", FOLDER .. "/with_flags") })
    t.equal(says(b.sparse, "map_flags"), 1)
    t.equal(says(b.for_programs, "map_flags"), 0x80)
    t.equal(says(b.by_cpu, "map_flags"), 2)
    t.equal(says(b.pinned, "map_flags"), 1)
    t.equal(says(b.plain, "map_flags"), 0)
    t.equal(says(b.sparse, "max_entries"), 128)
    -- The same map again, by its path, with what was put in.
    b.pinned[3] = 33
    b:cleanup()
    local again = BPF({ text = ([[
BPF_TABLE_PINNED("hash", u32, u64, other_name, 16, "PATH", BPF_F_NO_PREALLOC);
ON_GETPGID other_name.increment(3); return 0; }]]):gsub("PATH", FOLDER .. "/with_flags"):gsub("ON_GETPGID", function() return getpgid.on("ON_GETPGID") end) })
    getpgid.call()
    t.equal(again.other_name[3], 34ULL)
    again:cleanup()
    os.remove(FOLDER .. "/with_flags")
    C.unlink(FOLDER .. "/with_flags")
    os.execute("rmdir " .. FOLDER)
end)

t.test("a program of one object counts in another's map", function()
    local owner = BPF({ text = 'BPF_TABLE_PUBLIC("hash", u32, u64, rows_public, 8); int f(struct pt_regs *ctx) { return 0; }' })
    local user = BPF({ text = getpgid.on([[
BPF_TABLE("extern", u32, u64, rows_public, 8);
ON_GETPGID rows_public.atomic_increment(5, 10); return 0; }]]) })
    for _ = 1, 3 do
        getpgid.call()
    end
    t.equal(owner.rows_public[5], 30ULL)
    owner:cleanup()
    -- It lives as long as anybody has it.
    getpgid.call()
    t.equal(user.rows_public[5], 40ULL)
    user:cleanup()
    local err = t.fails(BPF, { text = 'BPF_TABLE("extern", u32, u64, rows_public, 8); int f(struct pt_regs *ctx) { return 0; }' })
    t.contains(err, "rows_public")
end)

t.test("adding from several threads of execution loses nothing", function()
    local b = BPF({ text = [[
struct sums_t { u64 up; s64 down; u32 half; };
BPF_ARRAY(sums, struct sums_t, 1);
RAW_TRACEPOINT_PROBE(sys_enter) {
	struct sums_t *s = sums.lookup(&(int){0});
	if (!s || ctx->args[1] != NUMBER)
		return 0;
	lock_xadd(&s->up, 3);
	lock_xadd(&s->down, -2);
	lock_xadd(&s->half, 1);
	return 0;
}]], cflags = { "-DNUMBER=" .. (ffi.arch == "x64" and 110 or 173) } })
    -- getppid, from two processes at once; others may call it, too, but all three count the same calls.
    os.execute("for i in 1 2; do ( for j in $(seq 50); do sh -c : ; done ) & done; wait")
    local s = b.sums[0]
    assert(s.half > 0)
    t.equal(s.up, s.half * 3ULL)
    t.equal(s.down, -2LL * s.half)
    b:cleanup()
end)

t.test("a hash of maps with a struct for a key; inner maps of a script's choice", function()
    local b = BPF({ text = getpgid.on([[
struct who_t { u32 group; u32 kind; };
BPF_HASH(inner, u32, u64, 16);
BPF_HASH(other, u32, u64, 16);
BPF_HASH_OF_MAPS(outer, struct who_t, "inner", 8);
ON_GETPGID
	struct who_t who = { .group = 7, .kind = 1 };
	void *map = outer.lookup(&who);
	u32 key = 1;
	u64 one = 1, *count;
	if (!map)
		return 0;
	count = bpf_map_lookup_elem(map, &key);
	if (count)
		lock_xadd(count, 1);
	else
		bpf_map_update_elem(map, &key, &one, BPF_ANY);
	return 0;
}]]) })
    getpgid.call()
    t.equal(b.inner[1], nil)
    b.outer[{ group = 7, kind = 1 }] = b.other
    getpgid.call()
    getpgid.call()
    t.equal(b.other[1], 2ULL)
    t.equal(b.inner[1], nil)
    b.outer[{ group = 7, kind = 1 }] = b.inner
    getpgid.call()
    t.equal(b.other[1], 2ULL)
    t.equal(b.inner[1], 1ULL)
    b:cleanup()
end)

t.test("a frame of a stack by the build id of its file", function()
    local b = BPF({ text = [[
BPF_STACK_TRACE_BUILDID(stacks, 64);
BPF_ARRAY(got, u64, 2);
int at_call(struct pt_regs *ctx) {
	s64 id;
	u64 address;
	if (bpf_get_current_pid_tgid() >> 32 != PID)
		return 0;
	id = stacks.get_stackid(ctx, BPF_F_USER_STACK);
	address = PT_REGS_IP(ctx);
	got.update(&(int){0}, (u64 *)&id);
	got.update(&(int){1}, &address);
	return 0;
}]], cflags = { "-DPID=" .. PID } })
    b:attach_uprobe({ name = "c", sym = "strcasecmp", fn_name = "at_call", pid = PID })
    C.strcasecmp("a", "b")
    local id = tonumber(ffi.cast("int64_t", b.got[0]))
    assert(id >= 0, "stack id " .. id)
    local frame = b.stacks[id].trace[0]
    t.equal(tonumber(frame.status), 1)
    -- The file that the process has at the address, and its note.
    local address, file, start, offset = b.got[1]
    for line in io.lines("/proc/self/maps") do
        local from, to, at, path = line:match("^(%x+)%-(%x+) %S+ (%x+) %S+ %d+%s+(/%S+)")
        if from and address >= tonumber(from, 16) and address < tonumber(to, 16) then
            file, start, offset = path, tonumber(from, 16), tonumber(at, 16)
        end
    end
    local wanted = tonumber(address - start) + offset
    t.equal(tonumber(frame.offset), wanted)
    if BPF.find_exe("readelf") then
        local note = io.popen("readelf -n " .. file .. " 2>/dev/null"):read("*a"):match("Build ID: (%x+)")
        local hex = {}
        for i = 0, 19 do
            hex[i + 1] = ("%02x"):format(frame.build_id[i])
        end
        t.equal(table.concat(hex), note)
    end
    b:cleanup()
end)

t.test("lookup_or_init of a full map ends nothing but itself", function()
    local b = BPF({ text = getpgid.on([[
BPF_HASH(full, u32, u64, 1);
BPF_ARRAY(steps, u64, 3);
static int note(u32 key) {
	u64 zero = 0, *value = full.lookup_or_init(&key, &zero);
	if (value)
		(*value)++;
	return value ? 1 : 2;
}
ON_GETPGID
	steps.increment(0);
	steps.increment(note(1));
	steps.increment(note(2));
	return 0;
}]]) })
    getpgid.call()
    t.equal(b.steps[0], 1ULL)
    t.equal(b.steps[1], 1ULL)
    t.equal(b.steps[2], 1ULL)
    t.equal(b.full[1], 1ULL)
    t.equal(b.full[2], nil)
    b.full:lost()
    b:cleanup()
end)
