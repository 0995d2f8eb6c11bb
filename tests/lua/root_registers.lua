-- SPDX-License-Identifier: Apache-2.0
-- PT_REGS_FP and PT_REGS_RET at the entry of a function, compared with what the program says of its own frames.

local ffi = require("ffi")
local t = require("harness")
local programs = require("help.programs")

local lacking = programs.lacking() or ffi.arch ~= "x64" and "the frames are told apart for x86-64"

local TEXT = [[
BPF_ARRAY(seen, u64, 3);
int probe(struct pt_regs *ctx)
{
    int frame = 0, place = 1, back = 2;
    u64 fp = PT_REGS_FP(ctx), slot = PT_REGS_RET(ctx), address = 0;
    bpf_probe_read_user(&address, sizeof(address), (void *)slot);
    seen.update(&frame, &fp);
    seen.update(&place, &slot);
    seen.update(&back, &address);
    return 0;
}
]]

-- The caller's frame; where the address that a call returns to stands, which is just above the callee's frame; that address.
local PROGRAM = [[
#include <stdio.h>
__attribute__((noinline)) void probed(void)
{
    printf("%p %p\n", (char *)__builtin_frame_address(0) + 8, __builtin_return_address(0));
}
int main(void)
{
    printf("%p ", __builtin_frame_address(0));
    probed();
    return 0;
}
]]

t.test_unless(lacking, "the frame, and where a call returns to", function()
    programs.in_folder(function(folder)
        local path = programs.compile(folder .. "/frames", PROGRAM, "-O0 -fno-omit-frame-pointer")
        local b = BPF{ text = TEXT }
        b:attach_uprobe{ name = path, sym = "probed", fn_name = "probe" }
        local frame, slot, address = programs.run(path):match("0x(%x+) 0x(%x+) 0x(%x+)")
        t.equal(("%x"):format(b.seen[0]), frame)
        t.equal(("%x"):format(b.seen[1]), slot)
        t.equal(("%x"):format(b.seen[2]), address)
        b:cleanup()
    end)
end)
