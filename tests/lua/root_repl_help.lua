-- SPDX-License-Identifier: Apache-2.0
-- `help(x)` and `x?`.

local t = require("harness")
local help = require("bpflua.repl.help")

local b = BPF({
    text = [[
BPF_HASH(counts, u32, u64);
int on_open(struct tracepoint__syscalls__sys_enter_openat *args) { return 0; }
]],
})
b:attach_tracepoint({ tp = "syscalls:sys_enter_openat", fn_name = "on_open" })

t.test("functions", function()
    local text = help.text(b.attach_kprobe, "attach_kprobe")
    t.contains(text, "attach_kprobe(options)")
    t.contains(text, "Attaches a function to the entry of kernel functions")
    t.contains(text, "event_re")
    t.contains(help.text(BPF.count, "count"), "max_keys")
    t.contains(help.text(function() end, "mine"), "root_repl_help.lua:21")
end)

t.test("objects, with what is attached", function()
    local text = help.text(b)
    t.contains(text, "on_open")
    t.contains(text, "counts")
    t.contains(text, "tracepoint syscalls:sys_enter_openat -> on_open, by tracepoint")
    t.contains(help.text(b.counts), "map counts: hash, 10240 elements at most")
    t.contains(help.text(b.counts), "key: u32")
end)

t.test("names of the kernel", function()
    t.contains(help.text("vfs_read"), "ssize_t vfs_read(struct file *file, char *buf, size_t count, loff_t *pos)")
    t.contains(help.text("struct file"), "struct path f_path;")
    t.contains(help.text("tracepoint:syscalls:sys_enter_openat"), "const char *filename")
    t.contains(help.text("tracepoint:syscalls:sys_enter_openat"), "-> on_open")
    t.contains(help.text("sched_switch"), "prev_comm")
    t.contains(help.text("no such name"), '"no such name"')
end)

t.test("one-liners show their C text", function()
    local one = BPF.count("tracepoint:syscalls:sys_enter_openat", "comm", { comm = "nobody" })
    t.contains(help.text(one), "BPF_PERCPU_HASH(counts, struct key_t, u64, 10240);")
    one:stop()
end)

t.test("questions", function()
    local session = require("bpflua.repl.session").new()
    session:declare({ b = b })
    local real, lines = print, {}
    _G.print = function(text)
        lines[#lines + 1] = text
    end
    help.question(session, "b.counts")
    help.question(session, "vfs_read")
    help.question(session, "kprobe:vfs_read")
    local failed = t.fails(help.question, session, "b_")
    _G.print = real
    t.contains(lines[1], "map counts")
    t.contains(lines[2], "struct file *file")
    t.contains(lines[3], "kprobe:vfs_read")
    t.contains(failed, "nothing is called `b_`")
end)
