-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "Counts calls of the kernel's vfs_* functions"
parameters = [
  { name = "duration", type = "duration", positional = true, help = "stop after this time" },
]
columns = [
  { name = "addr", width = 16 },
  { name = "func", width = 26 },
  { name = "count", width = 12, type = "integer" },
]
examples = [
  { run = "", help = "until Ctrl-C" },
  { run = "5", help = "for five seconds" },
]
[requires]
attach = ["kprobe:vfs_*"]
]==]

local tool = BPF.tool()

local b = BPF{ text = [[
BPF_HASH(counts, u64, u64, 1024);

int count(struct pt_regs *ctx)
{
    counts.atomic_increment(PT_REGS_IP(ctx));
    return 0;
}
]] }
b:attach_kprobe({ event_re = "^vfs_.*", fn_name = "count" })

tool:say("Tracing. Ctrl-C ends.")
tool:run({ duration = tool.args.duration })

local rows = {}
for address, count in b.counts:items() do
    rows[#rows + 1] = { addr = ("%x"):format(address), func = BPF.ksym(address), count = tonumber(count) }
end
table.sort(rows, function(a, c)
    return a.count < c.count
end)
tool:view(rows, { keep = true })
