-- SPDX-License-Identifier: Apache-2.0
-- The kernel prints nothing for a format that it does not take, and tells the program alone, which seldom asks. That the
-- compiler warns of just those is held against what the kernel at hand says: before Linux 5.13 it takes less.

local t = require("harness")
local stderr = require("help.stderr")

local TEXT = [[
SEC("socket") int tell(struct __sk_buff *skb)
{
	char word[] = "word", other[] = "other";
	long wrote = bpf_trace_printk(FORMAT);

	return wrote < 0 ? 1 : 2;
}
]]

-- Each with whether today's kernels take it, and whether those before 5.13 do.
local FORMATS = {
    { [["nothing\n"]], true, true },
    { [["%d %u %x\n", 1, 2, 3]], true, true },
    { [["%lld\n", 1LL]], true, true },
    { [["%li %lu\n", 1L, 2UL]], true, true },
    { [["%s\n", word]], true, true },
    { [["%s: %d\n", word, 1]], true, true },
    { [["%s %s\n", word, other]], true, false },
    { [["%sx\n", word]], false, false },
    { [["%-8s|\n", word]], true, false },
    { [["%5d\n", 1]], true, false },
    { [["%08llx\n", 1ULL]], true, false },
    { [["%X\n", 1]], true, false },
    { [["%c\n", 'x']], true, false },
    { [["100%%\n"]], true, false },
    { [["%pS\n", skb]], true, false },
    { [["%pSx\n", skb]], true, false },
    { [["%pB\n", skb]], true, true },
    { [["%pI4\n", skb]], true, false },
    { [["%pI5\n", skb]], false, false },
    { [["%px1\n", skb]], true, false },
    { [["%p1\n", skb]], false, false },
    { [["%pks\n", skb]], true, true },
    { [["%pks1\n", skb]], false, false },
    { [["%p\n", skb]], true, true },
    { [["%o\n", 1]], false, false },
    { [["%hd\n", (short)1]], false, false },
    { [["%.3s\n", word]], false, false },
}

local old = BPF.kernel_enum_has_val("bpf_func_id", "BPF_FUNC_snprintf") == 0

for _, case in ipairs(FORMATS) do
    local format, now, before = unpack(case)
    t.test(format, function()
        -- clang's own opinion of `%pS` and pointers to packets is not asked here.
        local text, ok, b = stderr.of(BPF, { text = (TEXT:gsub("FORMAT", function() return format end)) })
        assert(ok, b)
        local printed = b:test_run({ fn_name = "tell", data_in = ("\0"):rep(64) }).retval == 2
        local warned = text:find("the kernel refuses the format and prints nothing", 1, true) ~= nil
        if printed == warned then
            error(("the kernel %s it, and the compiler says %q"):format(printed and "takes" or "refuses", text))
        end
        local wanted = now
        if old then
            wanted = before
        end
        t.equal(printed, wanted)
        t.equal(text:find("before Linux 5.13", 1, true) ~= nil, old and not before)
        b:close()
    end)
end
