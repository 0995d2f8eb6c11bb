-- SPDX-License-Identifier: Apache-2.0
-- What is known of the keys and values of maps: members, places, widths of bits, dimensions, padding; told as bcc tells it, and
-- the same places as the C text itself has.

local ffi = require("ffi")
local t = require("harness")

local TYPES = [[
typedef unsigned int my_u32;
typedef my_u32 other_u32;
enum colour { RED, GREEN = 5 };
union both { u32 whole; u8 bytes[4]; };
struct inner { char c; u64 d; };
struct all {
    u8 first; other_u32 second; u16 third; struct inner in; union both u;
    struct { u32 x; u8 y; }; union { u64 l; u8 s; };
    u8 grid[2][3]; struct inner list[2]; void *place; struct task_struct *task;
    u32 bit1 : 3, bit2 : 5; bool on; enum colour colour; __int128 wide; struct {} empty; char tail;
};
struct flexible { u32 n; u8 rest[0]; };
struct tight { u8 a; u64 b; } __attribute__((packed));
]]

local b = BPF({ text = TYPES .. [[
BPF_HASH(whole, struct all, union both);
BPF_HASH(open_end, u32, struct flexible);
BPF_HASH(packed, struct tight, u32 *);
BPF_HASH(enums, enum colour, s64);
BPF_ARRAY(texts, char[16], 2);
BPF_ARRAY(lists, struct inner[3], 2);
BPF_ARRAY(offsets, u32, 16);
SEC("socket") int tell(struct __sk_buff *skb)
{
    u32 list[] = {
        offsetof(struct all, second), offsetof(struct all, in), offsetof(struct all, u), offsetof(struct all, x),
        offsetof(struct all, l), offsetof(struct all, grid), offsetof(struct all, list), offsetof(struct all, place),
        offsetof(struct all, on), offsetof(struct all, colour), offsetof(struct all, wide), offsetof(struct all, tail), sizeof(struct all),
    };
#pragma unroll
    for (int i = 0; i < 13; i++)
        offsets.update(&(int){ i }, &list[i]);
    return 0;
}
]] })

local function layout(name, sizes)
    return (b:decode_table(name, sizes):match("\n(.*)"))
end

t.test("a struct of everything, with places", function()
    t.equal(layout("whole", true), [[
  struct {
    [0 +1] unsigned char first;
    [4 +4] unsigned int second;
    [8 +2] unsigned short third;
    [16 +16] struct {
      [16 +1] char c;
      [24 +8] unsigned long long d;
    } in;
    [32 +4] union {
      [32 +4] unsigned int whole;
      [32 +4] unsigned char[4] bytes;
    } u;
    [36 +8] struct {
      [36 +4] unsigned int x;
      [40 +1] unsigned char y;
    };
    [48 +8] union {
      [48 +8] unsigned long long l;
      [48 +1] unsigned char s;
    };
    [56 +6] unsigned char[2][3] grid;
    [64 +32] struct[2] {
      [64 +1] char c;
      [72 +8] unsigned long long d;
    } list;
    [96 +8] unsigned long long place;
    [104 +8] unsigned long long task;
    [112,0 +3 bit] unsigned int bit1:3;
    [112,3 +5 bit] unsigned int bit2:5;
    [113 +1] _Bool on;
    [116 +4] unsigned int colour;
    [128 +16] __int128 wide;
    [144 +0] struct {
    } empty;
    [144 +1] char tail;
  } key;
  union {
    [0 +4] unsigned int whole;
    [0 +4] unsigned char[4] bytes;
  } value;]])
end)

t.test("the places are the C text's own", function()
    t.equal(b:test_run({ fn_name = "tell", data_in = ("\0"):rep(64) }).retval, 0)
    local members = { "second", "in", "u", "x", "l", "grid", "list", "place", "on", "colour", "wide", "tail" }
    for i, name in ipairs(members) do
        t.equal(ffi.offsetof(b.whole.key_type.ctype, name), b.offsets[i - 1])
    end
    t.equal(b.whole.key_type.size, b.offsets[12])
    t.equal(ffi.sizeof(b.whole:Key()), b.offsets[12])
end)

t.test("other types", function()
    t.equal(layout("open_end"), "  unsigned int key;\n  struct {\n    unsigned int n;\n    unsigned char[0] rest;\n  } value;")
    t.equal(layout("packed", true), "  struct {\n    [0 +1] unsigned char a;\n    [1 +8] unsigned long long b;\n  } key;\n  unsigned long long value;")
    t.equal(layout("enums"), "  unsigned int key;\n  long long value;")
    t.equal(layout("texts"), "  int key;\n  char[16] value;")
    t.equal(layout("lists"), "  int key;\n  struct[3] {\n    char c;\n    unsigned long long d;\n  } value;")
end)

t.test("members by their types: two dimensions, names behind typedefs, members without a record's name", function()
    local key = b.whole:Key({ second = 7, x = 8, l = 9, grid = { { 1, 2, 3 }, { 4, 5, 6 } }, colour = "GREEN", list = { { d = 1 }, { d = 2 } } })
    b.whole[key] = { whole = 0x01020304 }
    for found, value in b.whole:items() do
        t.equal(found.second * 100 + found.x, 708)
        t.equal(found.l, 9ULL)
        t.equal(found.grid[1][2], 6)
        t.equal(tonumber(found.colour), 5)
        t.equal(found.list[1].d, 2ULL)
        t.equal(value.bytes[0], 4)
    end
    t.equal(#b.whole, 1)
end)
