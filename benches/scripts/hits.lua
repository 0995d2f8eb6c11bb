-- SPDX-License-Identifier: Apache-2.0
-- hits.lua: counts the calls of vfs_read until it is killed.
local b = BPF{ text = [[
BPF_ARRAY(count, u64, 1);
int hit(struct pt_regs *ctx, struct file *file)
{
    int zero = 0;
    u64 *value = count.lookup(&zero);
    if (value && file)
        *value += 1;
    return 0;
}
]] }
b:attach_kprobe{ event = "vfs_read", fn_name = "hit" }
print("ready", b:probes()[1].mechanism)
io.flush()
b:run()
