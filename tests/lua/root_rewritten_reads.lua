-- SPDX-License-Identifier: Apache-2.0
-- Reads through pointers that a text writes in every way that C has: arguments, pointers to pointers, results of functions,
-- members and elements. What they point to lies in this process, so each value is known.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef([[
int getpid(void);
int atoi(const char *text);
struct reads_name { unsigned int hash; const unsigned char *name; };
struct reads_packet {
    unsigned int *address; unsigned int **addresses; unsigned int priority; unsigned short port; int table[5];
    unsigned char *head; unsigned short header; struct reads_packet *next; struct reads_name *label;
};
struct reads_header { unsigned short source, destination; unsigned int sequence; };
]])

local HEAD = [[
struct name { u32 hash; const unsigned char *name; };
struct packet {
    u32 *address; u32 **addresses; u32 priority; u16 port; int table[5];
    unsigned char *head; u16 header; struct packet *next; struct name *label;
};
struct header { u16 source, destination; u32 sequence; };
struct holder { struct packet *packet; void *any; };
BPF_ARRAY(got, u64, 64);
]]

-- Each with the parameters of the program, its body, and what it is to return.
local CASES = {
    { "arguments that are no pointers", "unsigned long a, unsigned long b", "return (void *)a != (void *)b;", 1 },
    { "what a member points to", "struct packet *p", "return *(p->address);", 0xa0b0c0d0 },
    { "what a member's pointer points to", "struct packet *p", "u32 *a = *(p->addresses); return *a;", 0x01020304 },
    { "a member's address, then what is there", "struct packet *p", "u32 *a = &p->priority; return *a;", 77 },
    { "what is at a member's address", "struct packet *p", "return (u64)*(&p->address) == ADDRESS;", 1 },
    { "a pointer to the argument", "struct packet *p", "struct packet *one, **two = &one; *two = p; return ((struct packet *)(*two))->priority;", 77 },
    { "a pointer to a pointer to it", "struct packet *p",
        "struct packet *one, **two = &one, ***three = &two; *two = p; *three = two; return ((struct packet *)(**three))->priority;", 77 },
    { "two pointers to the argument itself", "struct packet *p", "struct packet **one, **two = &p; one = &p; return (*one)->priority + (*two)->port;", 77 + 443 },
    { "pointers to pointers through a function", "struct packet *p", "struct packet **one, **two = same(&p); one = same(&p); return (*one)->priority + (*two)->port;", 77 + 443 },
    { "a pointer to a pointer to a pointer, in a function", "struct packet *p",
        "struct packet *one, **two = &one, ***three = &two; *two = p; *three = two; return deep(three);", 77 },
    { "a pointer kept in a struct", "struct packet *p", "struct holder h = {}, *at = &h; at->any = p; return at->any != NULL;", 1 },
    { "a pointer out of a struct, by its address", "struct packet *p", "struct holder h = {}, *at = &h; at->packet = p; return at->packet->priority;", 77 },
    { "a pointer out of a struct, by its name", "struct packet *p", "struct holder h = {}, *at = &h; at->packet = p; return h.packet->priority;", 77 },
    { "a cast in brackets", "void *p", "u16 port = ((struct packet *)p)->port; return port;", 443 },
    { "a condition that is negated", "struct packet *p", "if (!(p->next->table[0] & 1)) return 1; if (((p->next->table[0]))) return 2; return 3;", 2 },
    { "a pointer that a function made", "struct packet *p", "struct header *h = (struct header *)header_of(p); return h->sequence;", 0x55667788 },
    { "a pointer that a function made, in one of two ways", "struct packet *p", "struct header *h = (struct header *)header_or_nothing(p); return h->sequence;", 0x55667788 },
    { "a result that is added to", "struct packet *p", "u32 *s = (u32 *)(header_of(p) + offsetof(struct header, sequence)); return *s;", 0x55667788 },
    { "a member of a result", "struct packet *p", "return typed_header_of(p)->sequence;", 0x55667788 },
    { "an address that is handed to a helper", "struct packet *p", "return read_port(&p->port);", 443 },
    { "a register of the context", nil, "struct packet *p = (struct packet *)PT_REGS_PARM1(ctx); return p->port;", 443 },
    { "an element of a member", "const struct name *n", "return n->name[1];", ("a"):byte(), of = "name" },
    { "an element, with blanks", "const struct name *n", "return n->name  [ 1];", ("a"):byte(), of = "name" },
    { "an element of a member in brackets", "const struct name *n", "return (n->name)[1];", ("a"):byte(), of = "name" },
    { "an element of the argument", "char *n", "return n[1];", ("a"):byte(), of = "text" },
    { "an element of what the argument points to", "char **n", "return (*n)[1];", ("a"):byte(), of = "texts" },
    { "what is at an element's address", "struct packet *p", "return *(&p->table[1]);", 11 },
    { "an element by a constant that is an expression", "struct packet *p", "return p->table[sizeof(u32) - 1] + p->next->label->name[2];", 13 + ("m"):byte() },
    { "the same pointer twice, in between the map", "struct packet *p",
        "u32 *k = p->address; u64 v = (u64)k; int slot = 60; got.update(&slot, &v); k = p->address; slot = 61; got.update(&slot, &v); return *k;", 0xa0b0c0d0 },
}

local HELPERS = [[
static struct packet **same(struct packet **p) { return p; }
static int deep(struct packet ***p) { return ((struct packet *)(**p))->priority; }
static inline unsigned char *header_of(struct packet *p) { return p->head + p->header; }
static inline u64 nothing(void) { return 0; }
static inline unsigned char *header_or_nothing(struct packet *p)
{
    if (p)
        return p->head + p->header;
    return (unsigned char *)nothing();
}
static inline struct header *typed_header_of(struct packet *p) { return (struct header *)(p->head + p->header); }
static inline int read_port(u16 *port)
{
    u16 value = 0;
    bpf_probe_read_user(&value, sizeof(value), port);
    return value;
}
]]

-- ---------------------------------------------------------------- what they read

local text = ffi.new("char[8]", "name")
local texts = ffi.new("char *[1]", text)
local address = ffi.new("unsigned int[1]", 0xa0b0c0d0)
local other = ffi.new("unsigned int[1]", 0x01020304)
local addresses = ffi.new("unsigned int *[1]", other)
local bytes = ffi.new("unsigned char[64]")
ffi.cast("struct reads_header *", bytes + 20).sequence = 0x55667788
local name = ffi.new("struct reads_name", { 5, ffi.cast("const unsigned char *", text) })
local last = ffi.new("struct reads_packet")
last.table[0], last.label = 3, name
local packet = ffi.new("struct reads_packet")
packet.address, packet.addresses, packet.priority, packet.port = address, addresses, 77, 443
packet.head, packet.header, packet.next, packet.label = bytes, 20, last, name
for i = 0, 4 do
    packet.table[i] = 10 + i
end
local POINTERS = { packet = packet, name = name, text = text, texts = texts }

-- ---------------------------------------------------------------- a program for each

local NUMBERS = "unsigned long a, unsigned long b"

local pieces = { HEAD, HELPERS }
for number, case in ipairs(CASES) do
    local parameters = case[2] and ", " .. case[2] or ""
    local arguments = case[2] and ", " .. (case[2] == NUMBERS and "a, b" or case[2]:match("%w+$")) or ""
    pieces[#pieces + 1] = ([[
static u64 body%d(struct pt_regs *ctx%s) { %s }
int case%d(struct pt_regs *ctx%s)
{
    int slot = %d;
    u64 value;
    if (bpf_get_current_pid_tgid() >> 32 != PID)
        return 0;
    value = body%d(ctx%s);
    got.update(&slot, &value);
    return 0;
}
]]):format(number, parameters, case[3], number, parameters, number, number, arguments)
end
pieces[#pieces + 1] = [[
int on_return(struct pt_regs *ctx)
{
    int slot = 50;
    char *text = (char *)PT_REGS_RC(ctx);
    u64 value = text[1] << 8 | text[0];
    if (bpf_get_current_pid_tgid() >> 32 == PID)
        got.update(&slot, &value);
    return 0;
}
]]

local b = BPF({
    text = table.concat(pieces),
    cflags = { "-DPID=" .. ffi.C.getpid(), ("-DADDRESS=%sULL"):format(tostring(ffi.cast("uint64_t", address)):match("%d+")) },
})

-- Those with the same pointer run at the same call.
local values, twice = {}, nil
for of, pointer in pairs(POINTERS) do
    for number, case in ipairs(CASES) do
        if (case.of or "packet") == of then
            b:attach_uprobe({ name = "c", sym = "atoi", fn_name = "case" .. number, pid = ffi.C.getpid() })
        end
    end
    ffi.C.atoi(ffi.cast("const char *", pointer))
    for number, case in ipairs(CASES) do
        if (case.of or "packet") == of then
            values[number] = tonumber(b.got[number])
        end
    end
    twice = of == "packet" and { b.got[60], b.got[61] } or twice
end

for number, case in ipairs(CASES) do
    t.test(case[1], function()
        t.equal(values[number], case[4])
        -- As programs at kernel functions, too, where pointers are the kernel's.
        t.equal(b:load_func("case" .. number, BPF.KPROBE).fd > 0, true)
    end)
end

t.test("the same pointer twice is the same key", function()
    t.equal(twice[1], ffi.cast("uint64_t", address))
    t.equal(twice[2], twice[1])
end)

t.test("the result of a function", function()
    ffi.cdef("char *getenv(const char *name);")
    b:attach_uretprobe({ name = "c", sym = "getenv", fn_name = "on_return", pid = ffi.C.getpid() })
    local path = ffi.string(ffi.C.getenv("PATH"))
    t.equal(tonumber(b.got[50]), path:byte(2) * 256 + path:byte(1))
end)
b:cleanup()
