-- SPDX-License-Identifier: Apache-2.0
-- programs.lua COUNT: compiles, loads and attaches so many programs of one text; ready when they are attached.
local count = tonumber(arg[1])
local text = { "BPF_HASH(n, u32, u64);" }
for i = 1, count do
    text[#text + 1] = ("int f%d(void *ctx) { u32 key = %d; n.increment(key); return 0; }"):format(i, i)
end
local b = BPF{ text = table.concat(text, "\n") }
for i = 1, count do
    b:attach_tracepoint{ tp = "syscalls:sys_enter_getpgid", fn_name = "f" .. i }
end
print("ready")
io.flush()
b:run()
