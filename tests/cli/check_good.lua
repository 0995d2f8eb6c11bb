-- SPDX-License-Identifier: Apache-2.0
-- A loop without an end, output, a command and a file: none of it happens while the script is checked.
local b = BPF{text = [[
BPF_HASH(counts);
BPF_PERF_OUTPUT(events);
int on_sync(struct pt_regs *ctx)
{
    u64 key = 1;
    counts.increment(key);
    events.perf_submit(ctx, &key, sizeof(key));
    return 0;
}
]]}
b:attach_kprobe{event = b:get_syscall_fnname("sync"), fn_name = "on_sync"}
b.events:open_perf_buffer(function(cpu, event) print(cpu, event.x) end)
os.execute("echo started > /dev/stderr")
for key, count in b.counts:items() do
    print(key, count)
end
print(#b.counts .. " entries")
while true do
    b:perf_buffer_poll()
end
