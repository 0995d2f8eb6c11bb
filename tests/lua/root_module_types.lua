-- SPDX-License-Identifier: Apache-2.0
-- Types that only a kernel module has: the files of a virtual machine lie on overlayfs, whose structs tell what
-- /proc/mounts says, too.

local t = require("harness")
local ffi = require("ffi")
local modules = require("help.modules")
ffi.cdef("int getpid(void); int getpgid(int pid);")

local TEXT = [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

const volatile __u32 us = 0;
__u64 hits;
char type[16], upper[256];

SEC("raw_tp/sys_enter") int on_call(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct super_block *sb;
	struct ovl_fs *overlay;

	if (bpf_get_current_pid_tgid() >> 32 != us)
		return 0;
	sb = BPF_CORE_READ(task, fs, root.mnt, mnt_sb);
	bpf_probe_read_kernel_str(type, sizeof(type), BPF_CORE_READ(sb, s_type, name));
	overlay = BPF_CORE_READ(sb, s_fs_info);
	bpf_probe_read_kernel_str(upper, sizeof(upper), BPF_CORE_READ(overlay, config.upperdir));
	hits++;
	return 0;
}
]]

local function root_mount()
    for line in io.lines("/proc/mounts") do
        local kind, options = line:match("^%S+ / (%S+) (%S+)")
        if kind == "overlay" then
            return options
        end
    end
end

local has_types = modules.has_btf("overlay")
local on_overlay = root_mount()

t.test_unless(not has_types and "no kernel module `overlay` with types is loaded", "a module's struct is read", function()
    local b = BPF{ text = TEXT, constants = { us = ffi.C.getpid() } }
    ffi.C.getpgid(0)
    assert(b.vars.hits > 0)
    if on_overlay then
        t.equal(ffi.string(b.vars.type), "overlay")
        t.equal(ffi.string(b.vars.upper), on_overlay:match("upperdir=([^,]+)"))
    end
    b:close()
end)

t.test_unless(not has_types and "no kernel module `overlay` with types is loaded", "plain dereferences, a typed size, functions", function()
    local b = BPF{ constants = { us = ffi.C.getpid() }, text = [[
const volatile u32 us = 0;
u64 hits, size, numbers;
RAW_TRACEPOINT_PROBE(sys_enter) {
    if (bpf_get_current_pid_tgid() >> 32 != us) return 0;
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    struct ovl_fs *overlay = task->fs->root.mnt->mnt_sb->s_fs_info;
    size = sizeof(struct ovl_fs);
    numbers = overlay->numlayer;
    hits++;
    return 0;
}
]] }
    ffi.C.getpgid(0)
    assert(b.vars.hits > 0 and b.vars.size > 64)
    if on_overlay then
        local lower = on_overlay:match("lowerdir=([^,]+)")
        local _, colons = lower:gsub(":", "")
        t.equal(tonumber(b.vars.numbers), colons + 2)
    end
    b:close()
end)

t.test("a struct that nobody has", function()
    local err = t.fails(BPF, { text = "int f(struct pt_regs *ctx, struct nobody_has_this *p) { return p->x; }" })
    t.contains(err, "this kernel's BTF has no `struct nobody_has_this`")
    if has_types then
        t.contains(err, "nor have the ")
    end
end)

-- With `--btf`, nothing but that folder is looked into.
if arg[1] ~= "folder" then
    local not_searched = not has_types and "no kernel modules"
        or modules.has_btf("nf_conntrack") and "`nf_conntrack` is loaded"
    t.test_unless(not_searched, "a module that is not loaded", function()
        local err = t.fails(BPF, { text = "int f(struct pt_regs *ctx, struct nf_conntrack_net *p) { return p->count; }" })
        t.contains(err, "kernel module `nf_conntrack`, which is not loaded, has it: `modprobe nf_conntrack`")
    end)
end
