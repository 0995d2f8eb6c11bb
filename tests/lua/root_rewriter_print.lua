-- SPDX-License-Identifier: Apache-2.0
-- Lines of the trace pipe as they come out: more values than registers, several texts, widths, formats in variables, addresses.

local getpgid = require("help.getpgid")
local stderr = require("help.stderr")
local t = require("harness")

require("help.trace_pipe").hold()

-- Several texts in one line, and more than three values, since 5.13.
local OLD = BPF.kernel_enum_has_val("bpf_func_id", "BPF_FUNC_snprintf") == 0 and "before Linux 5.13 the kernel prints less"
local PID = io.open("/proc/self/stat"):read("*n")
local count = 0

-- Others may write to the pipe, and other tests read from it: what is ours is tried for again.
local function printed(call)
    count = count + 1
    local mark = ("rewriter%d_%d"):format(PID, count)
    local _, ok, b = stderr.of(function()
        return BPF({ text = getpgid.on(([[
ON_GETPGID
    char one[] = "one", two[] = "two";
    long n = -5;
    u64 wide = 0x123456789abULL;
    %s
    return 0;
}]]):format((call:gsub("MARK", mark)))) })
    end)
    assert(ok, b)
    for _ = 1, 300 do
        getpgid.call()
        BPF.sleep(0.01)
        for _ = 1, 100 do
            local line = b:trace_readline(true)
            local found = line and line:match(mark .. "( .*)")
            if found then
                b:cleanup()
                return (found:gsub("%s+$", ""))
            elseif not line then
                break
            end
        end
    end
    error("no line of ours came of " .. call)
end

t.test("up to three values, as bcc takes them", function()
    t.equal(printed('bpf_trace_printk("MARK %d|%u|%x\\n", n, 7, 255);'), " -5|7|ff")
    t.equal(printed('bpf_trace_printk("MARK %ld %llx\\n", n, wide);'), " -5 123456789ab")
    t.equal(printed('bpf_trace_printk("MARK %s: %lu\\n", one, 9UL);'), " one: 9")
    t.equal(printed('bpf_trace_printk("MARK nothing\\n");'), " nothing")
end)

t.test("the size of the format, as the kernel takes it, and formats in variables", function()
    t.equal(printed('char format[] = "MARK of %d\\n"; bpf_trace_printk(format, sizeof(format), 3);'), " of 3")
    t.equal(printed('bpf_trace_printk("MARK %d\\n" "" , 4);'), " 4")
end)

t.test("in macros and functions", function()
    t.equal(printed('\n#define SAY(what, ...) bpf_trace_printk("MARK " what "\\n", ##__VA_ARGS__)\nSAY("%d and %d", 1, 2);'), " 1 and 2")
    t.equal(printed('bpf_printk("MARK %d", 8);'), " 8")
end)

t.test_unless(OLD, "more than three values, several texts, widths, per cents, one character", function()
    t.equal(printed('bpf_trace_printk("MARK %d %s %s %x|%lld\\n", 1, one, two, 255, n);'), " 1 one two ff|-5")
    t.equal(printed('bpf_trace_printk("MARK %5d|%-4d|%08llx|%3s|100%%\\n", 1, 2, wide, "x");'), "     1|2   |123456789ab|  x|100%")
    t.equal(printed('bpf_trace_printk("MARK %c%c%c\\n", \'a\', \'b\', \'c\');'), " abc")
    t.equal(printed('bpf_trace_printk("MARK %d %d %d %d %d %d %d %d %d %d %d %d\\n", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);'),
        " 1 2 3 4 5 6 7 8 9 10 11 12")
end)

t.test_unless(OLD, "addresses: by name, of the Internet", function()
    local at = BPF.ksymname("schedule")
    local address = ("0x%sULL"):format(bit.tohex(at))
    t.contains(printed(('bpf_trace_printk("MARK %%pS\\n", (void *)%s);'):format(address)), BPF.ksym(at))
    t.equal(printed('u8 ip[4] = { 10, 0, 0, 7 }; bpf_trace_printk("MARK %pI4\\n", ip);'), " 10.0.0.7")
end)

t.test("what is no format is told", function()
    local text = "int f(struct pt_regs *ctx) { %s return 0; }"
    local told = stderr.of(function() BPF({ text = text:format('bpf_trace_printk("%d\\n", bpf_ktime_get_ns());') }) end)
    t.contains(told, "format specifies type 'int' but the argument has type 'u64' (aka 'unsigned long long')")
    local function refused(call)
        return t.fails(function() BPF({ text = text:format(call) }) end)
    end
    t.contains(refused('char *f = (char *)ctx; bpf_trace_printk(f);'), "the format is a literal or an array: how long it is cannot be told of a pointer")
    t.contains(refused('char *f = (char *)ctx; bpf_printk(f, 1);'), "the format is a literal or an array")
    local many = refused('bpf_trace_printk("%d\\n", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13);')
    t.contains(many, "a line takes up to 12 values: more are given")
    t.contains(many, "1 error\n")
end)
