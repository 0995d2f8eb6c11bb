-- SPDX-License-Identifier: Apache-2.0
-- Which licences a text may have, and which helpers they allow. `bpf_ktime_get_ns` is for any licence, and
-- `bpf_probe_read_kernel` for those that are compatible with the GPL.

local t = require("harness")

local GPL_ONLY = [[
struct event_t { u64 ts; u64 read; };
BPF_PERF_OUTPUT(events);
int program(struct pt_regs *ctx)
{
    struct event_t event = { .ts = bpf_ktime_get_ns() };
    bpf_probe_read_kernel(&event.read, sizeof(event.read), (void *)bpf_get_current_task());
    events.perf_submit(ctx, &event, sizeof(event));
    return 0;
}
]]
local FOR_ALL = [[
struct key_t { u64 ip; u32 pid, uid; char comm[16]; };
BPF_HASH(counts, struct key_t);
int program(struct pt_regs *ctx)
{
    struct key_t key = { .ip = PT_REGS_IP(ctx), .pid = bpf_get_current_pid_tgid() >> 32, .uid = bpf_get_current_uid_gid() };
    bpf_get_current_comm(&key.comm, sizeof(key.comm));
    u64 zero = 0, *count = counts.lookup_or_try_init(&key, &zero);
    if (count)
        (*count)++;
    return 0;
}
]]

local function licence(words)
    return ("#define BPF_LICENSE %s\n"):format(words)
end

-- Loads it; the error as text, or nothing.
local function refused(text, cflags)
    local ok, err = pcall(function()
        local b = BPF({ text = text, cflags = cflags })
        b:load_func("program", BPF.KPROBE)
        b:cleanup()
    end)
    return not ok and tostring(err) or nil
end

t.test("without a word it is the GPL", function() t.equal(refused(GPL_ONLY), nil) end)
t.test("GPL", function() t.equal(refused(GPL_ONLY .. licence("GPL")), nil) end)
t.test("one that is compatible with the GPL", function() t.equal(refused(GPL_ONLY .. licence("Dual BSD/GPL")), nil) end)
t.test("another, without helpers that want the GPL", function() t.equal(refused(FOR_ALL .. licence("Proprietary")), nil) end)
t.test("another of several words", function() t.equal(refused(FOR_ALL .. licence("Proprietary license")), nil) end)

t.test("another, with helpers that want the GPL", function()
    local err = refused(GPL_ONLY .. licence("Proprietary license"))
    t.contains(err, "the kernel rejected program `program`")
    t.contains(err, "GPL")
end)

t.test("an empty one", function()
    local err = refused(GPL_ONLY .. licence(""))
    t.contains(err, "GPL")
end)

t.test("in the flags of the compiler", function()
    t.contains(refused(GPL_ONLY, { "-DBPF_LICENSE=GPL" }), "BPF_LICENSE belongs in the probe text")
end)

t.test("in the flags and in the text", function()
    t.contains(refused(GPL_ONLY .. licence("GPL"), { "-DBPF_LICENSE=GPL" }), "BPF_LICENSE belongs in the probe text")
end)

t.test("another in the flags of the compiler", function()
    t.contains(refused(FOR_ALL, { "-DBPF_LICENSE=Proprietary" }), "BPF_LICENSE belongs in the probe text")
end)
