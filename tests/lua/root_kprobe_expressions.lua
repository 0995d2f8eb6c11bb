-- SPDX-License-Identifier: Apache-2.0
-- Probes at all functions that a regular expression matches, entry and return; names with a point in them.

local ffi = require("ffi")
local t = require("harness")
local kprobes = require("help.kprobes")

ffi.cdef("int getpid(void); int getppid(void); int getpgid(int pid); int getsid(int pid);")

-- The counts stand under keys that are written as values.
local TEXT = ([[
typedef struct { int which; } key_t;
typedef struct { u64 count; } count_t;
BPF_HASH(counts, key_t, count_t, 3);
static int count(int which)
{
    if (bpf_get_current_pid_tgid() >> 32 != %d)
        return 0;
    count_t *found = counts.lookup_or_try_init(&(key_t){which}, &(count_t){0});
    if (found)
        found->count++;
    return 0;
}
int entered(void *ctx) { return count(1); }
int returned(void *ctx) { return count(2); }
]]):format(ffi.C.getpid())

local function count(b, which)
    local found = b.counts[b.counts:Key({ which = which })]
    return found and tonumber(found.count) or 0
end

t.test_unless(kprobes.lacking, "entries and returns of several system calls", function()
    for _, mechanism in ipairs({ "auto", "kprobe" }) do
        local b = BPF({ text = TEXT })
        local event_re = "^" .. b:get_syscall_prefix() .. "get(pg|s)id$"
        b:attach_kprobe({ event_re = event_re, fn_name = "entered", mechanism = mechanism })
        b:attach_kretprobe({ event_re = event_re, fn_name = "returned", mechanism = mechanism })
        t.equal(BPF.num_open_kprobes(), 4)
        ffi.C.getpgid(0)
        ffi.C.getsid(0)
        ffi.C.getppid()
        t.equal(count(b, 1), 2)
        t.equal(count(b, 2), 2)
        b:cleanup()
    end
end)

t.test_unless(kprobes.lacking, "a system call that the probe itself ends in", function()
    local b = BPF({ text = TEXT })
    local event_re = "^" .. b:get_syscall_prefix() .. "bp.*"
    b:attach_kprobe({ event_re = event_re, fn_name = "entered" })
    b:attach_kretprobe({ event_re = event_re, fn_name = "returned" })
    -- Looking into the map is bpf(2): the first is entered before it is counted as returned.
    local before = count(b, 1)
    local after = count(b, 1)
    t.equal(before >= 1, true)
    t.equal(after > before, true)
    t.equal(count(b, 2) >= 1, true)
    b:cleanup()
end)

t.test_unless(kprobes.lacking, "functions whose names have a suffix of the compiler's", function()
    local names = BPF.get_kprobe_functions([[.*\.(isra|constprop|part)\.\d+]])
    t.equal(#names > 0, true)
    local b = BPF({ text = TEXT })
    b:attach_kprobe({ event_re = names[1]:match("^[^.]*") .. ".*", fn_name = "entered" })
    local found = false
    for _, name in ipairs(b:probes()[1].resolved) do
        found = found or name == names[1]
    end
    t.equal(found, true)
    b:attach_kprobe({ event_re = "^tcp_enter_cwr.*", fn_name = "entered" })
    b:cleanup()
end)
