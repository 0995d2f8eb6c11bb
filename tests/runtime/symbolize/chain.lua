-- SPDX-License-Identifier: Apache-2.0
-- Prints the user stack of the first call of `inner` in a program, a function a line, when the program makes it.
-- Arguments: the program's path, its number.

local path, pid = arg[1], tonumber(arg[2])
local b = BPF{text = [[
BPF_STACK_TRACE(stacks, 16);
BPF_ARRAY(seen, s64, 1);

int on_inner(struct pt_regs *ctx)
{
    int zero = 0;
    s64 id = stacks.get_stackid(ctx, BPF_F_USER_STACK);

    // 0 is a number of a stack, too.
    id = id < 0 ? id : id + 1;
    seen.update(&zero, &id);
    return 0;
}
]]}
b:attach_uprobe{name = path, sym = "inner", fn_name = "on_inner", pid = pid}
local cache = BPF.SymbolCache(pid)
print("ready")
io.flush()
repeat
    BPF.sleep(0.02)
until b.seen[0] ~= 0 or BPF.stopped()
local id = tonumber(b.seen[0])
for addr in assert(b.stacks:walk(id > 0 and id - 1 or id)) do
    print(BPF.sym(addr, pid, true, true), (cache:resolve(addr)))
end
