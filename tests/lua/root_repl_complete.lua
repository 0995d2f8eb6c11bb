-- SPDX-License-Identifier: Apache-2.0
-- Completion at the prompt, of each kind of place.

local t = require("harness")
local ffi = require("ffi")
local complete = require("bpflua.repl.complete").complete
local session = require("bpflua.repl.session").new()

local b = BPF({
    text = [[
struct key_t { u32 pid; char comm[16]; };
struct event_t { u64 time; u32 pid; char comm[16]; };
BPF_HASH(counts, struct key_t, u64);
BPF_RINGBUF_OUTPUT(events, 8);
int on_open(struct tracepoint__syscalls__sys_enter_openat *args)
{
    struct key_t key = {};
    struct event_t event = {};
    counts.increment(key);
    events.ringbuf_output(&event, sizeof(event), 0);
    return 0;
}
]],
})
session:declare({ b = b, point = { left = 1, right = 2 }, event = b.events:event(ffi.new("uint8_t[64]")) })

-- The candidates where `|` stands, or at the end; and the line up to where they begin.
local function found(line)
    local at = line:find("|", 1, true) or #line + 1
    local start, list = complete(session, line:sub(1, at - 1) .. line:sub(at + 1), at - 1)
    local notes, names = {}, {}
    for i, one in ipairs(list) do
        notes[one.text], names[i] = one.note or "", one.text
    end
    return notes, line:sub(1, start), names
end

-- One candidate is there, and what it is.
local function has(line, text, note)
    local notes, _, names = found(line)
    if not notes[text] then
        error(("%s: no %s among %s"):format(line, text, table.concat(names, " ")), 2)
    end
    t.contains(notes[text], note or "")
end

local function lacks(line, text)
    if found(line)[text] then
        error(("%s: %s is offered"):format(line, text), 2)
    end
end

t.test("methods, maps and fields", function()
    has("b.", "counts", "map: hash, key struct key_t, value u64")
    has("b:attach_kp", "attach_kprobe", "(options)  Attaches a function to the entry of kernel functions")
    lacks("b:cou", "counts")
    has("print(b.counts:it", "items", "Iterates over keys and values.")
    has("BPF.ksy", "ksym", "(addr, show_module, show_offset)")
    has("string.form", "format")
    has("point.le", "left", "1")
    has("event.ti", "time", "u64")
    local _, before = found("x = b.counts:it")
    t.equal(before, "x = b.counts:")
end)

t.test("names of the session, of Lua and of one-liners", function()
    has("x = poi", "point", "table")
    has("ret", "return")
    has("lat", "latency", "The distribution of how long calls take")
    has("hel", "help")
end)

t.test("members of events and keys that only the statement knows", function()
    has("b.events:open_ring_buffer(function(cpu, ev) print(ev.", "time", "u64")
    has("for k, v in b.counts:items() do print(k.co", "comm", "char [16]")
    lacks("for k, v in b.counts:items() do print(v.", "comm")
end)

t.test("options", function()
    has("b:attach_kprobe{ev", "event_re", "string")
    has("b:attach_uprobe{name = 'c', s", "sym")
    has("BPF{te", "text", "string")
    has("count('kprobe:vfs_read', 'comm', {fil", "filter", "a C expression")
    lacks("count('kprobe:vfs_read', 'comm', {fil", "file")
end)

t.test("functions of the C text, of the kernel and of libraries", function()
    has("b:attach_tracepoint{tp = 'x', fn_name = 'on", "on_open", "function of the C text")
    has("b:attach_kprobe{event = 'vfs_rea", "vfs_read", "(struct file *file, char *buf, size_t count, loff_t *pos) -> ssize_t")
    has("b:attach_uprobe{name = 'c', sym = 'getppi", "getppid")
    has("b:attach_kprobe{mechanism = 'kprobe_", "kprobe_multi")
end)

t.test("tracepoints with their fields", function()
    has("b:attach_tracepoint{tp = 'sched:sched_swit", "sched:sched_switch", "prev_comm, prev_pid")
    has("b:attach_raw_tracepoint{tp = 'sched_swit", "sched_switch", "struct task_struct *prev")
end)

t.test("probes of one-liners, and the names of their values", function()
    has('count("kp', "kprobe:")
    has('count("kprobe:vfs_rea', "vfs_read", "size_t count")
    has('count("tracepoint:sched:sched_swit', "sched:sched_switch")
    has('trace("uprobe:c:getppi', "getppid")
    has('count("tracepoint:sched:sched_switch", "prev_', "prev_comm", "char prev_comm[16]")
    has('count("kprobe:vfs_read", "file.f_path.den', "dentry", "struct dentry *dentry")
    has('count("kprobe:vfs_read", {filter = "coun', "count", "size_t count")
    has('count("kprobe:vfs_read", "com', "comm", "of every probe")
    local _, before = found('count("kprobe:vfs_read", "file.f_path.den')
    t.equal(before, 'count("kprobe:vfs_read", "file.f_path.')
    local _, of_two = found('count("kprobe:vfs_read, kprobe:vfs_wr')
    t.equal(of_two, 'count("kprobe:vfs_read, kprobe:')
end)

t.test("files, commands, programs", function()
    has("BPF{src_file = '/etc/pass", "passwd")
    has("!cat /etc/pass", "passwd")
    has("!ca", "cat")
    has(":he", ":help", "this list")
    has(":time b.cou", "counts")
    local _, before = found("BPF{src_file = '/etc/pass")
    t.equal(before, "BPF{src_file = '/etc/")
end)

t.test("C, by the compiler", function()
    local head = "BPF{text = [[\nBPF_HASH(last, u32);\nint f(struct pt_regs *ctx, struct file *file)\n{\n    "
    has(head .. "last.look|;\n}\n]]}", "lookup")
    has(head .. "int flags = file->f_fla|;\n}\n]]}", "f_flags", "f_flags")
    has(head .. "bpf_get_current_c", "bpf_get_current_comm")
    has(head .. "int x = PT_REGS_R", "PT_REGS_RC", "PT_REGS_RC(x)")
    has("BPF{text = [[\nstruct mine { int first, second; };\nint f(void *ctx) { struct mine m; m.sec|; }]]}", "second", "int second")
    lacks(head .. "file->f_fla|; }]]}", "bpf_get_current_comm")
end)

t.test("what has nothing to go on from", function()
    local _, _, names = found("x = 5 + ")
    t.equal(#names, 0)
    t.equal(#select(3, found("no_such_thing.")), 0)
    t.equal(#select(3, found("'some words")), 0)
    t.equal(#select(3, found("")), 0)
end)
