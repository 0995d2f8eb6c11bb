-- SPDX-License-Identifier: Apache-2.0
-- A packet that XDP leads past the kernel's network to an AF_XDP socket (`BPF_XSKMAP`), read from the ring that the socket
-- shares with the kernel: on the loopback device of a network namespace of this test's own.

local t = require("harness")
local ffi = require("ffi")
local net = require("help.sockets")
ffi.cdef([[
int unshare(int flags);
int setsockopt(int fd, int level, int name, const void *value, uint32_t length);
void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset);

struct xsk_umem { uint64_t address, length; uint32_t chunk_size, headroom; };
struct xsk_ring_offsets { uint64_t producer, consumer, entries, flags; };
struct xsk_offsets { struct xsk_ring_offsets rx, tx, fill, completion; };
struct xsk_address { uint16_t family, flags; uint32_t device, queue, shared; };
struct xsk_entry { uint64_t address; uint32_t length, options; };
]])

local C = ffi.C
local AF_XDP, SOL_XDP, RAW, NEWNET = 44, 283, 3, 0x40000000
local OFFSETS, RX_RING, UMEM, FILL_RING, COMPLETION_RING = 1, 2, 4, 5, 6
local COPY = 2
local CHUNK, ENTRIES = 4096, 16
local FILL_PAGE = 0x100000000LL

local TEXT = [[
BPF_XSKMAP(xsks, 4);
BPF_ARRAY(verdicts, u64, 4);
BPF_ARRAY(port, u16, 1);
int lead(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	u16 *wanted = port.lookup(&(int){0});

	if ((void *)(udp + 1) > end || ip->protocol != IPPROTO_UDP || !wanted || udp->dest != bpf_htons(*wanted))
		return XDP_PASS;
	verdicts.increment(xsks.lookup(&(int){ctx->rx_queue_index}) ? 1 : 2);
	/* Where there is no socket, the kernel is to have it. */
	return xsks.redirect_map(ctx->rx_queue_index, XDP_PASS);
}
]]

local function set(fd, name, value)
    return C.setsockopt(fd, SOL_XDP, name, value, ffi.sizeof(value)) == 0
end

-- A socket with memory for packets and its two rings mapped; or why there is none.
local function open_socket(device)
    local fd = C.socket(AF_XDP, RAW, 0)
    if fd < 0 then
        return nil, "this kernel has no AF_XDP sockets"
    end
    local memory = C.mmap(nil, CHUNK * ENTRIES, 3, 0x22, -1, 0)
    local umem = ffi.new("struct xsk_umem", ffi.cast("uintptr_t", memory), CHUNK * ENTRIES, CHUNK, 0)
    assert(set(fd, UMEM, umem), "memory for packets")
    for _, ring in ipairs({ FILL_RING, COMPLETION_RING, RX_RING }) do
        assert(set(fd, ring, ffi.new("uint32_t[1]", ENTRIES)), "ring")
    end
    local offsets, length = ffi.new("struct xsk_offsets"), ffi.new("unsigned[1]", ffi.sizeof("struct xsk_offsets"))
    assert(C.getsockopt(fd, SOL_XDP, OFFSETS, offsets, length) == 0)
    local function ring(places, bytes, page, ctype)
        local start = C.mmap(nil, tonumber(places.entries) + ENTRIES * bytes, 3, 1, fd, page)
        assert(ffi.cast("intptr_t", start) ~= -1, "mmap")
        local base = ffi.cast("char *", start)
        return {
            producer = ffi.cast("volatile uint32_t *", base + places.producer),
            consumer = ffi.cast("volatile uint32_t *", base + places.consumer),
            entries = ffi.cast(ctype, base + places.entries),
        }
    end
    local fill = ring(offsets.fill, 8, FILL_PAGE, "uint64_t *")
    local received = ring(offsets.rx, 16, 0, "struct xsk_entry *")
    for i = 0, ENTRIES - 1 do
        fill.entries[i] = i * CHUNK
    end
    fill.producer[0] = ENTRIES
    local address = ffi.new("struct xsk_address", AF_XDP, COPY, device, 0, 0)
    assert(C.bind(fd, address, ffi.sizeof(address)) == 0, "bind: errno " .. ffi.errno())
    return { fd = fd, memory = ffi.cast("char *", memory), received = received }
end

-- The packets that came since, as strings.
local function packets(socket)
    local ring, found = socket.received, {}
    while ring.consumer[0] ~= ring.producer[0] do
        local entry = ring.entries[ring.consumer[0] % ENTRIES]
        found[#found + 1] = ffi.string(socket.memory + tonumber(entry.address), entry.length)
        ring.consumer[0] = ring.consumer[0] + 1
    end
    return found
end

local function set_up()
    if C.unshare(NEWNET) ~= 0 then
        return nil, "no network namespaces can be made here"
    end
    assert(os.execute("ip link set lo up") ~= nil)
    local fd = C.socket(AF_XDP, RAW, 0)
    if fd < 0 then
        return nil, "this kernel has no AF_XDP sockets"
    end
    C.close(fd)
    return true
end

local ok, reason = set_up()

t.test_unless(not ok and reason, "packets reach the socket in the map, and the kernel without", function()
    local b = BPF({ text = TEXT })
    b:attach_xdp({ dev = "lo", fn_name = "lead", flags = BPF.XDP_FLAGS_SKB_MODE })
    local server, port = net.udp()
    local sender = net.udp()
    b.port[0] = port
    assert(net.connect(sender, port) == 0)
    local socket = assert(open_socket(1))
    local found = {}

    net.send(sender, "to the kernel")
    net.until_true("the first", function()
        return net.recv(server) == "to the kernel"
    end)
    b.xsks[0] = socket.fd
    net.send(sender, "past the kernel")
    net.send(sender, "once more")
    net.until_true("packets in the ring", function()
        for _, packet in ipairs(packets(socket)) do
            found[#found + 1] = packet:sub(43)
        end
        return #found >= 2
    end)
    t.equal(table.concat(found, "|"), "past the kernel|once more")
    t.equal(net.recv(server), nil)
    t.equal(tonumber(b.verdicts[1]), 2)
    t.equal(tonumber(b.verdicts[2]), 1)
    -- Without the socket, the kernel has its packets again.
    b.xsks[0] = nil
    net.send(sender, "to the kernel again")
    net.until_true("the last", function()
        return net.recv(server) == "to the kernel again"
    end)
    C.close(server)
    C.close(sender)
    C.close(socket.fd)
    b:cleanup()
end)
