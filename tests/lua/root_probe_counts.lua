-- SPDX-License-Identifier: Apache-2.0
-- How many functions are probed: of a regular expression, of several objects, by their names; and how many may be.

local t = require("harness")
local kprobes = require("help.kprobes")

local EMPTY = "int empty(void *ctx) { return 0; }"

t.test_unless(kprobes.lacking, "all functions that a regular expression matches", function()
    local wanted = 0
    for line in io.lines("/sys/kernel/tracing/available_filter_functions") do
        wanted = wanted + (line:find("^vfs_[%w_.]+") and 1 or 0)
    end
    t.equal(wanted > 20, true)
    local b = BPF({ text = EMPTY })
    t.equal(#b:get_kprobe_functions("^vfs_.*"), wanted)
    for _, mechanism in ipairs({ "auto", "kprobe" }) do
        b:attach_kprobe({ event_re = "^vfs_.*", fn_name = "empty", mechanism = mechanism })
        t.equal(BPF.num_open_kprobes(), wanted)
        t.equal(b:probes()[1].places, wanted)
        b:detach_kprobe({ event = "/^vfs_.*/", fn_name = "empty" })
        t.equal(BPF.num_open_kprobes(), 0)
    end
    b:cleanup()
end)

t.test_unless(kprobes.lacking, "of two objects, each its own and both together", function()
    local b1, b2 = BPF({ text = EMPTY }), BPF({ text = EMPTY })
    b1:attach_kprobe({ event = "schedule", fn_name = "empty" })
    b2:attach_kprobe({ event = "submit_bio", fn_name = "empty" })
    t.equal(#b1:probes(), 1)
    t.equal(#b2:probes(), 1)
    t.equal(BPF.num_open_kprobes(), 2)
    b1:cleanup()
    t.equal(BPF.num_open_kprobes(), 1)
    b2:cleanup()
    t.equal(BPF.num_open_kprobes(), 0)
end)

t.test_unless(kprobes.lacking, "functions that attach by their names", function()
    local b = BPF({ text = [[
int kprobe__schedule(void *ctx) { return 0; }
int kretprobe__schedule(void *ctx) { return 0; }
]] })
    t.equal(BPF.num_open_kprobes(), 2)
    b:cleanup()
end)

t.test_unless(kprobes.lacking, "kprobes one by one are limited", function()
    local b = BPF({ text = EMPTY })
    local err = t.fails(b.attach_kprobe, b, { event_re = ".*", fn_name = "empty", mechanism = "kprobe" })
    t.contains(err, "functions; kprobes one by one are limited to 1000")
    t.contains(err, "narrow the regular expression")
    t.equal(BPF.num_open_kprobes(), 0)
    b:cleanup()
end)

t.test("uprobes are limited", function()
    local b = BPF({ text = EMPTY })
    local err = t.fails(b.attach_uprobe, b, { name = "c", sym_re = ".*", fn_name = "empty" })
    t.contains(err, ("cannot attach `empty` to `c:/.*/`: it stands for %d functions"):format(#BPF.get_user_functions("c", ".*")))
    t.contains(err, "uprobes one by one are limited to 1000")
    t.equal(BPF.num_open_uprobes(), 0)
    b:cleanup()
end)

t.test_unless(kprobes.lacking, "a function that there is not", function()
    local b = BPF({ text = EMPTY })
    t.contains(t.fails(b.attach_kprobe, b, { event = "___does_not_exist", fn_name = "empty" }), "no such function in this kernel")
    t.contains(t.fails(b.attach_kprobe, b, { event_re = "___does_not_.*", fn_name = "empty" }), "___does_not_.*")
    t.equal(#b:probes(), 0)
    b:cleanup()
end)
