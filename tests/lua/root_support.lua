-- SPDX-License-Identifier: Apache-2.0
-- The `support_` functions say what attaching then shows; other names that nothing else here asks.

local ffi = require("ffi")
local t = require("harness")

-- Whether a text's program of that kind attaches.
local function attaches(text, attach)
    local ok, err = pcall(function()
        local b = BPF{text = text}
        if attach then
            attach(b)
        end
        b:close()
    end)
    if not ok then
        -- Nothing but the machine may be in the way.
        t.equal(err.kind, "machine")
    end
    return ok
end

local function same(name, works)
    local supported, why = BPF[name]()
    t.equal(supported, works)
    t.equal(type(why), works and "nil" or "string")
end

t.test("support_kfunc", function()
    same("support_kfunc", attaches("KFUNC_PROBE(vfs_read, struct file *file) { return 0; }"))
end)

t.test("support_lsm", function()
    same("support_lsm", attaches("LSM_PROBE(file_open, struct file *file) { return 0; }"))
end)

t.test("support_fmod_ret", function()
    same("support_fmod_ret", attaches("KMOD_RET(security_file_open, struct file *file, int ret) { return 0; }", function(b)
        b:attach_fmod_ret{fn_name = "kmod_ret__security_file_open"}
    end))
end)

t.test("system calls by their prefix", function()
    t.equal(BPF.get_syscall_prefix() .. "clone", BPF.get_syscall_fnname("clone"))
    local found = io.open("/proc/kallsyms"):read("*a"):find(" " .. BPF.get_syscall_prefix() .. "clone\n", 1, true)
    t.equal(found ~= nil, true)
end)

t.test("a linear histogram", function()
    local b = BPF{text = "BPF_HISTOGRAM(sizes, int, 8);"}
    b.sizes[0], b.sizes[2] = 4, 2
    local printed, write = {}, io.write
    io.write = function(text)
        printed[#printed + 1] = text
        return true
    end
    local ok, err = pcall(b.sizes.print_linear_hist, b.sizes, "bytes")
    io.write = write
    t.equal(ok and table.concat(printed) or err, table.concat({
        "     bytes         : count     distribution",
        "        0          : 4        |****************************************|",
        "        1          : 0        |                                        |",
        "        2          : 2        |********************                    |",
        "",
    }, "\n"))
end)

t.test("trace lines one after the other", function()
    ffi.cdef("int getpgid(int pid);")
    local b = BPF{text = [[
int said(struct pt_regs *ctx) {
    bpf_trace_printk("getpgid of %d\n", (int)PT_REGS_PARM1(ctx));
    return 0;
}]]}
    b:attach_uprobe{name = "c", sym = "getpgid", fn_name = "said"}
    ffi.C.getpgid(0)
    local got
    for _, pid, _, _, _, msg in b:each_trace_fields() do
        if msg == "getpgid of 0" then
            got = pid
            break
        end
        ffi.C.getpgid(0)
    end
    t.equal(got, tonumber(io.open("/proc/self/stat"):read("*n")))
end)
