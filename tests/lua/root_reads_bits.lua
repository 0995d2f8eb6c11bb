-- SPDX-License-Identifier: Apache-2.0
-- Bit fields of every width and sign: the kernel's and the text's own, in kernel and in user memory, on the stack and in
-- maps, against the bits themselves.

local t = require("harness")
local ffi = require("ffi")
local bits = require("help.bits")
local btf = require("help.btf")
local net = require("help.sockets")
ffi.cdef([[
long syscall(long number, ...);
int getpid(void);
int open(const char *path, int flags, int mode);
int unlink(const char *path);
]])

local C, PID = ffi.C, ffi.C.getpid()
-- getpgid: it fails for what is no process, and harms nothing.
local NUMBER = ffi.arch == "x64" and 121 or 155

-- Different structs: fewer where the processor is emulated.
local SEEDS = os.getenv("BPFLUA_TEST_VM") and 2 or 8

local HEAD = [[
BPF_ARRAY(got, u64, 4096);
#define SET(n, v) do { int k_ = (n); u64 v_ = (u64)(v); got.update(&k_, &v_); } while (0)
#define MINE (bpf_get_current_pid_tgid() >> 32 == PID)
]]

local function open(text, flags)
    return BPF({ text = HEAD .. text, cflags = { "-DPID=" .. PID, "-DNUMBER=" .. NUMBER, unpack(flags or {}) } })
end

local function same(where, field, got, wanted)
    if got ~= wanted then
        local words = "%s, %s %s : %d: got 0x%s, wanted 0x%s"
        error(words:format(where, field.type or "", field.name, field.width, bit.tohex(got), bit.tohex(wanted)), 0)
    end
end

-- Statements that set a slot for each field of `pointer`.
local function sets(fields, pointer, first)
    local lines = {}
    for i, field in ipairs(fields) do
        lines[i] = ("SET(%d, (%s)->%s);"):format(first + i - 1, pointer, field.name)
    end
    return table.concat(lines, "\n")
end

-- What a program has on its stack beside other things.
local MOST_BYTES = 96

local function generated(seed, packed)
    local fields = bits.fields(bits.generator(seed), 18)
    local places, count = bits.places(fields, packed)
    while count > MOST_BYTES * 8 do
        fields[#fields] = nil
        places, count = bits.places(fields, packed)
    end
    return fields, places
end

t.test("the text's own, packed and not, in kernel memory, user memory, on the stack and in maps", function()
    for seed = 1, SEEDS do
        local packed = seed % 2 == 0
        local fields, places = generated(seed, packed)
        local bytes = bits.bytes(bits.generator(100 + seed), MOST_BYTES)
        local path = "/tmp/" .. bytes
        local fd = C.open(path, 1 + 64, 384)
        assert(fd >= 0, "cannot create a file: errno " .. ffi.errno())
        local b = open(([[
            struct own { %s }%s;
            BPF_HASH(kept, u32, struct own);
            #define IN_KERNEL \
                ((struct own *)((struct task_struct *)bpf_get_current_task())->files->fdt->fd[FD]->f_path.dentry->d_name.name)
            #define PROGRAM(NAME) SEC("raw_tp/sys_enter") int NAME(struct bpf_raw_tracepoint_args *ctx)
            #define OURS (ctx->args[1] == NUMBER && MINE)
            PROGRAM(kernel) { struct own *p = IN_KERNEL; if (OURS) { %s } return 0; }
            PROGRAM(user)
            {
                struct own *p = (struct own *)PT_REGS_PARM1_CORE((struct pt_regs *)ctx->args[0]);
                if (OURS) { %s }
                return 0;
            }
            PROGRAM(stack) { struct own copy = *IN_KERNEL; if (OURS) { %s } return 0; }
            PROGRAM(map)
            {
                u32 zero = 0;
                struct own *p;
                if (!OURS)
                    return 0;
                kept.update(&zero, IN_KERNEL);
                if ((p = kept.lookup(&zero))) { %s }
                return 0;
            }]]):format(
            bits.declared(fields),
            packed and " __attribute__((packed))" or "",
            sets(fields, "p", 0),
            sets(fields, "p", 100),
            sets(fields, "&copy", 200),
            sets(fields, "p", 300)
        ), { "-DFD=" .. fd })
        local memory = ffi.new("char[?]", #bytes + 8, bytes)
        C.syscall(NUMBER, memory)
        for i, field in ipairs(fields) do
            local wanted = bits.in_memory(bytes, places[i], field.width, field.signed)
            for first, where in pairs({ [0] = "kernel", [100] = "user", [200] = "stack", [300] = "map" }) do
                same(("seed %d, %s"):format(seed, where), field, b.got[first + i - 1], wanted)
            end
        end
        b:cleanup()
        C.close(fd)
        C.unlink(path)
    end
end)

-- Structs of the kernel with bit fields of many kinds; `bpf_reg_state` has a signed one since 6.4, `nft_rule`, where it is
-- no kernel module's, one of 42 bits.
local KERNEL = { "sk_buff", "tcp_sock", "task_struct", "bpf_reg_state", "iphdr", "ipv6hdr", "tcphdr", "perf_event_attr", "nft_rule", "sock", "request_sock", "dst_entry" }
local MEMORY = 16384

t.test("the kernel's, by CO-RE, wherever the kernel has them", function()
    local bytes = bits.bytes(bits.generator(7), MEMORY)
    local memory = ffi.new("char[?]", MEMORY + 8, bytes)
    local programs, checks = {}, {}
    for index, name in ipairs(KERNEL) do
        local kept, macros = {}, {}
        for _, field in ipairs(btf.bit_fields(name) or {}) do
            if field.place + 64 <= MEMORY * 8 and #kept < 60 then
                kept[#kept + 1] = field
            end
        end
        local first = 200 * (index - 1)
        for i, field in ipairs(kept) do
            macros[i] = ("SET(%d, BPF_CORE_READ_BITFIELD(p, %s));"):format(first + 100 + i - 1, field.name)
            checks[#checks + 1] = { name, field, first + i - 1 }
        end
        for how, statements in pairs({ direct = sets(kept, "p", first), macro = table.concat(macros, "\n") }) do
            programs[#programs + 1] = ([[
                SEC("raw_tp/sys_enter") int by_%s_%d(struct bpf_raw_tracepoint_args *ctx)
                {
                    if (ctx->args[1] != NUMBER || !MINE)
                        return 0;
                    struct %s *p = (struct %s *)PT_REGS_PARM1_CORE((struct pt_regs *)ctx->args[0]);
                    %s
                    return 0;
                }]]):format(how, index, name, name, statements)
        end
    end
    local b = open(table.concat(programs, "\n"))
    C.syscall(NUMBER, memory)
    for _, check in ipairs(checks) do
        local name, field, slot = unpack(check)
        local wanted = bits.in_memory(bytes, field.place, field.width, field.signed)
        same("struct " .. name, field, b.got[slot], wanted)
        same("struct " .. name .. ", by macro", field, b.got[slot + 100], wanted)
    end
    assert(#checks > 100, #checks .. " fields")
    b:cleanup()
end)

t.test("a connection's window scales, against what getsockopt says", function()
    local client, server = net.pair()
    local info, length = ffi.new("uint8_t[104]"), ffi.new("uint32_t[1]", 104)
    local IPPROTO_TCP, TCP_INFO = 6, 11
    t.equal(C.getsockopt(client, IPPROTO_TCP, TCP_INFO, info, length), 0)
    local b = open([[
        RAW_TRACEPOINT_PROBE(sys_enter)
        {
            struct task_struct *t = (struct task_struct *)bpf_get_current_task();
            if (ctx->args[1] != NUMBER || !MINE)
                return 0;
            struct socket *socket = (struct socket *)t->files->fdt->fd[FD]->private_data;
            struct tcp_sock *tcp = (struct tcp_sock *)socket->sk;
            SET(0, tcp->rx_opt.snd_wscale); SET(1, tcp->rx_opt.rcv_wscale); SET(2, tcp->inet_conn.icsk_ca_state);
            SET(3, BPF_CORE_READ_BITFIELD_PROBED(tcp, rx_opt.snd_wscale)); SET(4, tcp->rx_opt.wscale_ok);
            return 0;
        }]], { "-DFD=" .. client })
    C.syscall(NUMBER, 0)
    local scales, options = info[6], info[5]
    t.equal(b.got[0], ffi.cast("uint64_t", bit.band(scales, 15)))
    t.equal(b.got[1], ffi.cast("uint64_t", bit.rshift(scales, 4)))
    t.equal(b.got[2], ffi.cast("uint64_t", info[1]))
    t.equal(b.got[3], b.got[0])
    t.equal(b.got[4], ffi.cast("uint64_t", bit.band(bit.rshift(options, 2), 1)))
    assert(bit.rshift(scales, 4) > 0, "the connection scales its window")
    b:cleanup()
    C.close(client)
    C.close(server)
end)

t.test("on the wire: in a packet, signed and wide", function()
    for seed = 11, 10 + SEEDS do
        local fields = bits.fields(bits.generator(seed), 24)
        local places, count = bits.places(fields, true)
        -- Whole bytes.
        local rest = -count % 8
        if rest > 0 then
            fields[#fields + 1] = { name = "rest", type = "u8", size = 8, width = rest, signed = false }
            places[#fields] = count
        end
        local bytes = bits.bytes(bits.generator(200 + seed), math.max(64, (count + rest) / 8))
        local program = [[
            SEC("%s") int by_%s(struct %s *packet)
            {
                u8 *cursor = (u8 *)14;
                struct own_t *own = cursor_advance(cursor, sizeof(*own));
                %s
                SET(100, (u64)cursor);
                return 0;
            }]]
        local b = open(
            ("#include <bcc/proto.h>\nstruct own_t { %s } BPF_PACKET_HEADER;\n"):format(bits.declared(fields))
                .. program:format("tc", "tc", "__sk_buff", sets(fields, "own", 0))
                .. program:format("xdp", "xdp", "xdp_md", sets(fields, "own", 0))
        )
        for _, section in ipairs({ "tc", "xdp" }) do
            b.got:clear()
            b:test_run({ fn_name = "by_" .. section, data_in = ("\0"):rep(12) .. "\8\0" .. bytes })
            for i, field in ipairs(fields) do
                local wanted = bits.on_wire(bytes, places[i], field.width, field.signed)
                same(("seed %d, %s"):format(seed, section), field, b.got[i - 1], wanted)
            end
            t.equal(b.got[100], ffi.cast("uint64_t", 14 + (count + rest) / 8))
        end
        b:cleanup()
    end
end)
