-- SPDX-License-Identifier: Apache-2.0
-- Nested structs, text, an enum, keys that are structs: what an editor is to know of them.
local b = BPF{text = [[
struct place_t { u16 line; u16 column; };
struct open_t {
    u64 ts;
    u32 pid;
    char comm[16];
    struct place_t places[2];
    enum { READ, WRITE } how;
    bool created;
    unsigned __int128 address;
};
BPF_PERF_OUTPUT(opens);
BPF_RINGBUF_OUTPUT(closes, 8);
BPF_HASH(counts, struct place_t);
BPF_STACK_TRACE(stacks, 64);

int on_open(struct pt_regs *ctx)
{
    struct open_t open = {};
    struct place_t place = {};
    opens.perf_submit(ctx, &open, sizeof(open));
    closes.ringbuf_output(&place, sizeof(place), 0);
    counts.increment(place);
    return 0;
}
]]}
b.opens:open_perf_buffer(function(_, open) print(open.pid) end)
