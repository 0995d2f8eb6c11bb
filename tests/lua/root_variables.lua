-- SPDX-License-Identifier: Apache-2.0
-- Global variables: set before the programs are loaded, read and written while they run.

local t = require("harness")
local ffi = require("ffi")

local TEXT = [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

struct config {
	int level;
	char name[8];
	long limits[2];
};

const volatile pid_t targ_pid = 0;
const volatile bool safe = false;
const volatile char name[16] = "none";
const volatile int numbers[3];
const volatile struct config config = {};
const volatile __u64 big;
const volatile __u8 small = 3;
__u64 count;
int number = 5;
struct config last = { .level = 3 };
static volatile __u32 runs = 7;
int other SEC(".data.mine") = 9;
char letter;
enum color { RED = 1, GREEN } color = RED;

SEC("xdp") int run(struct xdp_md *ctx)
{
	int i;

	if (!safe)
		return *(volatile int *)0;
	count += big;
	last.level = targ_pid;
	last.limits[1] = config.limits[1];
	for (i = 0; i < 8; i++)
		last.name[i] = name[i];
	number += other;
	runs++;
	return numbers[0] + numbers[1] + numbers[2] + small;
}
]]

local CONSTANTS = {
    targ_pid = 42,
    safe = true,
    name = "hello",
    numbers = { 1, 2, 3 },
    config = { level = 1, limits = { 5, -6 } },
    big = 0xffffffffffffff00ULL,
    other = 11,
}
local PACKET = ("\0"):rep(64)

local b = BPF{ text = TEXT, constants = CONSTANTS }

t.test("constants are there when a program is loaded, and rule code out", function()
    t.equal(b:test_run{ fn_name = "run", data_in = PACKET }.retval, 9)
    t.equal(b.vars.last.level, 42)
    t.equal(b.vars.last.limits[1], -6LL)
    t.equal(ffi.string(b.vars.last.name), "hello")
    t.equal(b.vars.number, 16)
    t.equal(b.vars.other, 11)
    t.equal(b.vars.runs, 8)
    -- Without `safe`, the branch that no kernel takes stays.
    local unsafe = BPF{ text = TEXT }
    t.contains(t.fails(unsafe.test_run, unsafe, { fn_name = "run", data_in = PACKET }), "rejected program `run`")
end)

t.test("all 64 bits are kept", function()
    t.equal(b.vars.big, 0xffffffffffffff00ULL)
    t.equal(b.vars.count, 0xffffffffffffff00ULL)
    b.vars.count = 0x8000000000000001ULL
    t.equal(b.vars.count, 0x8000000000000001ULL)
    b.vars.count = 77
    t.equal(b.vars.count, 77ULL)
end)

t.test("variables are the memory that programs use", function()
    b.vars.number = -1
    b.vars.last = { level = 9, name = "zz", limits = { 1, 2 } }
    t.equal(b.vars.last.limits[0], 1LL)
    t.equal(ffi.string(b.vars.last.name), "zz")
    b:test_run{ fn_name = "run", data_in = PACKET }
    t.equal(b.vars.number, 10)
    t.equal(b.vars.last.level, 42)
    b.vars.color = "GREEN"
    t.equal(b.vars.color, 2)
    b.vars.letter = 65
    t.equal(b.vars.name, "hello")
    t.equal(b.vars.safe, true)
end)

t.test("a struct read is a copy", function()
    local before = b.vars.last
    b.vars.last = { level = -5 }
    assert(before.level ~= -5)
    t.equal(b.vars.last.level, -5)
end)

t.test("all variables can be listed", function()
    local names = {}
    for name in pairs(b.vars) do
        names[#names + 1] = name
    end
    t.equal(table.concat(names, " "), "big color config count last letter name number numbers other runs safe small targ_pid")
    t.contains(b.vars, "numbers = {1, 2, 3}")
    t.contains(b.vars, 'config = {level = 1, name = "", limits = {5, -6}}')
end)

local function refused(constants)
    return t.fails(BPF, { text = TEXT, constants = constants })
end

t.test("what does not fit is said with the variable's name", function()
    t.contains(refused{ small = 256 }, "variable `small` does not take 256: a `__u8` holds whole numbers from 0 to 255")
    t.contains(refused{ targ_pid = 2 ^ 31 }, "a `pid_t` holds whole numbers from -2147483648 to 2147483647")
    t.contains(refused{ targ_pid = 1.5 }, "holds whole numbers")
    t.contains(refused{ name = "12345678901234567" }, "a `char [16]` holds 16 bytes, and this has 17")
    t.contains(refused{ numbers = { 1, 2, 3, 4 } }, "a `int [3]` has 3 elements, and this has 4")
    t.contains(refused{ numbers = { 1, "x" } }, "variable `numbers`[2] does not take \"x\"")
    t.contains(refused{ config = { lvel = 1 } }, "did you mean `level`?")
    t.contains(refused{ safe = "yes" }, "variable `safe` does not take \"yes\"")
    t.contains(refused{ targ_pit = 1 }, "the C text has no global variable `targ_pit`")
    t.contains(refused{ targ_pit = 1 }, "did you mean `targ_pid`?")
end)

t.test("misuse after loading is said, too", function()
    t.contains(t.fails(function() b.vars.targ_pid = 2 end), "it is a constant")
    t.contains(t.fails(function() b.vars.targ_pid = 2 end), "BPF{constants = {targ_pid = …}}")
    t.contains(t.fails(function() b.vars.conut = 2 end), "did you mean `count`?")
    t.contains(t.fails(function() return b.vars.lasst end), "did you mean `last`?")
    t.contains(t.fails(function() b.vars.number = 2 ^ 40 end), "holds whole numbers")
    local closed = BPF{ text = "int x = 1;" }
    local vars = closed.vars
    t.equal(vars.x, 1)
    closed:close()
    t.contains(t.fails(function() return vars.x end), "it was closed")
end)

t.test("sizes of maps are the host's to say", function()
    local sized = BPF{
        text = [[
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
struct { __uint(type, BPF_MAP_TYPE_STACK_TRACE); __type(key, u32); } stacks SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_HASH); __type(key, u32); __type(value, u64); } counts SEC(".maps");
]],
        maps = { stacks = { max_entries = 100, value_size = 127 * 8 }, counts = { max_entries = 7 } },
    }
    t.equal(sized.counts.max_entries, 7)
    t.equal(sized.stacks.max_entries, 100)
    local err = t.fails(BPF, { text = "BPF_HASH(counts);", maps = { count = { max_entries = 7 } } })
    t.contains(err, "cannot set the sizes of map `count`: the C text has no such map")
    t.contains(err, "similar: counts")
    err = t.fails(BPF, { text = "BPF_HASH(counts);", maps = { counts = { max_entry = 7 } } })
    t.contains(err, "did you mean `max_entries`?")
end)
