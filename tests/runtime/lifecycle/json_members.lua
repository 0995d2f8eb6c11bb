-- SPDX-License-Identifier: Apache-2.0
-- NAME an event of nested parts, submitted to itself; with --json it is a line
-- REQUIRES root, btf

local ffi = require("ffi")

ffi.cdef("int getpgid(int pid); int getpid(void);")

local b = BPF({
    text = [[
enum state { IDLE, BUSY = 4 };
struct part { enum state state; s64 wide:37; char name[4]; } __attribute__((packed));
struct event_t {
    struct part parts[2];
    union { u16 whole; u8 bytes[2]; } either;
    struct { bool loose; };
    unsigned __int128 huge;
    u8 grid[2][2];
    enum state bits:4;
};
BPF_PERF_OUTPUT(events);
TRACEPOINT_PROBE(syscalls, sys_enter_getpgid)
{
    struct event_t e;
    if (bpf_get_current_pid_tgid() >> 32 != SCRIPT)
        return 0;
    __builtin_memset(&e, 0, sizeof(e));
    e.parts[1].state = BUSY;
    e.parts[1].wide = -3;
    __builtin_memcpy(e.parts[1].name, "four", 4);
    e.either.whole = 0x0102;
    e.loose = 1;
    e.huge = (unsigned __int128)1 << 64;
    e.grid[1][0] = 7;
    e.bits = BUSY;
    events.perf_submit(args, &e, sizeof(e));
    return 0;
}
]],
    cflags = { "-DSCRIPT=" .. ffi.C.getpid() },
})
b.events:open_perf_buffer(print)
ffi.C.getpgid(0)
for _ = 1, 100 do
    if b:perf_buffer_poll(100) > 0 then
        break
    end
end
