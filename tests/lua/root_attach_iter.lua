-- SPDX-License-Identifier: Apache-2.0
-- Iterators: their output against what the machine says of itself.

local t = require("harness")
local ffi = require("ffi")
ffi.cdef("int getpid(void);")
local me = ffi.C.getpid()

local b = BPF({
    text = [[
BPF_HASH(numbers, u32, u64);
BPF_ITER(task) {
    struct seq_file *seq = ctx->meta->seq;
    struct task_struct *task = ctx->task;
    if (!task) return 0;
    if (ctx->meta->seq_num == 0) BPF_SEQ_PRINTF(seq, "tgid pid comm\n");
    BPF_SEQ_PRINTF(seq, "%d %d %s\n", task->tgid, task->pid, task->comm);
    return 0;
}
struct record { u32 tgid; u32 pid; };
SEC("iter/task") int write_tasks(struct bpf_iter__task *ctx) {
    struct task_struct *task = ctx->task;
    if (!task) return 0;
    struct record record = { task->tgid, task->pid };
    bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
    return 0;
}
SEC("iter/bpf_map_elem") int sum_map(struct bpf_iter__bpf_map_elem *ctx) {
    u32 *key = ctx->key;
    u64 *value = ctx->value;
    if (!key || !value) return 0;
    BPF_SEQ_PRINTF(ctx->meta->seq, "%u=%llu\n", *key, *value);
    return 0;
}
SEC("?iter/bpf_map") int maps(struct bpf_iter__bpf_map *ctx) {
    struct bpf_map *map = ctx->map;
    if (map) BPF_SEQ_PRINTF(ctx->meta->seq, "%d %s\n", map->id, map->name);
    return 0;
}
]],
})

local function probes()
    local found = {}
    for _, probe in ipairs(b:probes()) do
        found[probe.fn_name] = probe
    end
    return found
end

t.test("those that need no map are attached by themselves", function()
    local found = probes()
    t.equal(found.bpf_iter__task.kind .. " " .. found.bpf_iter__task.target, "iter task")
    t.equal(found.write_tasks.mechanism, "link")
    t.equal(found.sum_map, nil)
    t.equal(found.maps, nil)
end)

t.test("each task is there, by its name", function()
    local text = b:iter("bpf_iter__task"):read()
    t.contains(text, "tgid pid comm\n")
    local comm = io.open("/proc/self/comm"):read("*l")
    t.contains(text, ("\n%d %d %s\n"):format(me, me, comm))
    t.contains(text, "\n2 2 kthreadd\n")
    local count, seen = 0, false
    for line in b:iter("task"):lines() do
        count = count + 1
        seen = seen or line == ("%d %d %s"):format(me, me, comm)
    end
    t.equal(seen, true)
    -- As many as /proc has threads, give or take those that come and go.
    local there = tonumber(io.popen("ls -d /proc/[0-9]*/task/* | wc -l"):read("*l"))
    t.equal(math.abs(count - 1 - there) <= 20, true)
end)

t.test("records as the program wrote them", function()
    local found
    for record in b:iter("write_tasks"):records("struct { uint32_t tgid, pid; }") do
        found = found or record.tgid == me and record.pid
    end
    t.equal(found, me)
    local bad = t.fails(function() for _ in b:iter("write_tasks"):records("char[4099]") do end end)
    t.contains(bad, "are left over, and a record has 4099")
end)

t.test("the elements of a map", function()
    for i = 1, 3 do
        b.numbers[i] = i * 100
    end
    t.contains(t.fails(function() b:iter("sum_map"):read() end), "`bpf_map_elem` goes through a map")
    local lines = {}
    for line in b:iter({ fn_name = "sum_map", map = "numbers" }):lines() do
        lines[#lines + 1] = line
    end
    table.sort(lines)
    t.equal(table.concat(lines, " "), "1=100 2=200 3=300")
    b.numbers[4] = 400
    t.contains(b:iter("sum_map"):read(), "4=400")
    t.equal(probes().sum_map.notes[1], "through map `numbers`")
    b:attach_iter({ fn_name = "sum_map", map = b.numbers })
    b:iter("sum_map"):detach()
    t.equal(probes().sum_map, nil)
end)

t.test("one that is left to the script", function()
    t.contains(b:iter("maps"):read(), " numbers\n")
    t.equal(probes().maps.target, "bpf_map")
    b:detach_iter("maps")
    t.contains(t.fails(b.detach_iter, b, "maps"), "cannot detach iter `maps`: it is not attached")
end)

-- Linux 6.1 and newer.
local ok, limited = pcall(b.attach_iter, b, { fn_name = "bpf_iter__task", pid = me })
t.test_unless(not ok and "this kernel cannot limit an iterator to a process", "the tasks of one process", function()
    local text = b:iter("task"):read()
    for line in text:gmatch("\n([^\n]+)") do
        t.equal(tonumber(line:match("^%d+")), me)
    end
    t.contains(text, ("\n%d %d "):format(me, me))
    t.equal(probes().bpf_iter__task.notes[1], ("process %d only"):format(me))
    b:attach_iter({ fn_name = "task" })
    t.contains(b:iter("task"):read(), "\n2 2 kthreadd\n")
    t.contains(t.fails(b.attach_iter, b, { fn_name = "task", pid = 99999999 }), "no process 99999999")
end)
t.equal(ok or limited ~= nil, true)

t.test("what is no iterator", function()
    t.contains(t.fails(b.iter, b, 5), "argument `fn_name` of `iter` is a number: it must be a string")
    t.contains(t.fails(function() b:iter("taks"):read() end), "no function `taks`")
    local none = t.fails(BPF, { text = 'SEC("iter/taks") int f(struct bpf_iter__task *ctx) { return 0; }' })
    t.contains(none, "cannot load `f`: no iterator over `taks` in this kernel's BTF")
    t.contains(none, "hint: similar: task")
end)
