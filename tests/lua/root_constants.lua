-- SPDX-License-Identifier: Apache-2.0
-- Constants that differ between kernels have this kernel's values.

local ffi = require("ffi")
local t = require("harness")

ffi.cdef("long sysconf(int name);")

-- The values of C expressions, one program for all.
local function values_of(expressions, cflags)
    local lines = {}
    for i, expression in ipairs(expressions) do
        lines[i] = ("    v = (u64)(%s); key = %d; out.update(&key, &v);"):format(expression, i - 1)
    end
    local b = BPF({
        cflags = cflags,
        text = ([[
BPF_ARRAY(out, u64, %d);
TRACEPOINT_PROBE(raw_syscalls, sys_enter)
{
    u64 v;
    int key;
%s
    return 0;
}
]]):format(#expressions, table.concat(lines, "\n")),
    })
    ffi.C.sysconf(84)
    io.open("/dev/null"):close()
    local values = {}
    for i in ipairs(expressions) do
        values[i] = b.out[i - 1]
    end
    return values
end

local function read(path)
    local file = io.open(path, "rb")
    local text = file and file:read("*a")
    if file then
        file:close()
    end
    return text
end

t.test("lengths of arrays are those of the kernel's types", function()
    local short_name = "sizeof(((struct dentry *)0)->d_iname)"
    if BPF.kernel_struct_has_field("dentry", "d_iname") ~= 1 then
        short_name = "sizeof(union shortname_store)"
    end
    local got = values_of({
        "KSYM_NAME_LEN", "sizeof(((struct bpf_ksym *)0)->name)",
        "DNAME_INLINE_LEN", short_name,
        "IFNAMSIZ", "sizeof(((struct net_device *)0)->name)",
        "TASK_COMM_LEN", "sizeof(((struct task_struct *)0)->comm)",
    })
    for i = 1, #got, 2 do
        t.equal(tonumber(got[i]), tonumber(got[i + 1]))
    end
end)

-- A program header of the running kernel's memory maps a piece of physical memory: its virtual address less the physical.
local function page_offset()
    local core = io.open("/proc/kcore", "rb")
    if not core then
        return
    end
    local head = core:read(64)
    local phoff, phnum = ffi.cast("uint64_t *", head)[4], ffi.cast("uint16_t *", head)[28]
    core:seek("set", tonumber(phoff))
    local headers = core:read(56 * phnum)
    core:close()
    for i = 0, phnum - 1 do
        local header = ffi.cast("uint64_t *", ffi.cast("const char *", headers) + 56 * i)
        local type, vaddr, paddr = ffi.cast("uint32_t *", header)[0], header[2], header[3]
        -- PT_LOAD; without a physical address the field is -1, and the kernel's own text is mapped apart.
        if type == 1 and paddr ~= 0xffffffffffffffffULL and paddr > 0 and vaddr < 0xffffffff80000000ULL then
            return vaddr - paddr
        end
    end
end

t.test("where the kernel's map of all memory begins", function()
    if ffi.arch ~= "x64" then
        return
    end
    local got = values_of({ "PAGE_OFFSET", "PAGE_SIZE" })
    t.equal(tonumber(got[2]), tonumber(ffi.C.sysconf(30)))
    local wanted = page_offset()
    if wanted then
        t.equal(got[1], wanted)
    end
end)

t.test("flags whose places are enumerators", function()
    local got = values_of({ "REQ_SYNC", "1ULL << __REQ_SYNC", "__GFP_ZERO", "GFP_ATOMIC", "GFP_KERNEL", "SLAB_POISON", "RQF_STARTED" })
    t.equal(got[1], got[2])
    local has_bits = BPF.kernel_enum_has_val("req_flag_bits", "__REQ_SYNC")
    t.equal(has_bits, 1)
    t.equal(tonumber(got[3]), 0x100)
    t.equal(tonumber(got[5]), 0xcc0)
    -- The numbers of Linux 6.1 and of 6.12.
    local release = read("/proc/sys/kernel/osrelease")
    if release:find("^6%.1%.") then
        t.equal(tonumber(got[4]), 0xa20)
        t.equal(tonumber(got[6]), 0x800)
        t.equal(tonumber(got[7]), 2)
    elseif release:find("^6%.12%.") then
        t.equal(tonumber(got[4]), 0x820)
        t.equal(tonumber(got[6]), 4)
        t.equal(tonumber(got[7]), 1)
    end
end)

t.test("version, ticks and configuration", function()
    local got = values_of({
        "LINUX_VERSION_CODE", "HZ", "msecs_to_jiffies(1000)",
        "IS_ENABLED(CONFIG_BPF_SYSCALL)", "IS_ENABLED(CONFIG_NO_SUCH_OPTION)", "CONFIG_HZ",
    })
    local version = read("/proc/version"):match(".*Debian (%d+%.%d+%.%d+)") or read("/proc/sys/kernel/osrelease")
    local a, b, c = version:match("^(%d+)%.(%d+)%.?(%d*)")
    t.equal(tonumber(got[1]), a * 65536 + b * 256 + math.min(tonumber(c) or 0, 255))
    t.equal(tonumber(got[3]), tonumber(got[2]))
    t.equal(tonumber(got[4]), 1)
    t.equal(tonumber(got[5]), 0)
    t.equal(tonumber(got[6]), tonumber(got[2]))
    local config = io.popen("zcat /proc/config.gz 2>/dev/null || cat /boot/config-$(uname -r) 2>/dev/null")
    local hz = config:read("*a"):match("\nCONFIG_HZ=(%d+)")
    config:close()
    if hz then
        t.equal(tonumber(got[2]), tonumber(hz))
    end
    -- The script's own flags win.
    local code = values_of({ "LINUX_VERSION_CODE" }, { "-DLINUX_VERSION_CODE=7" })
    t.equal(tonumber(code[1]), 7)
end)
