-- SPDX-License-Identifier: Apache-2.0
-- Addresses, names of numbers, times, columns, container filters.

local t = require("harness")
local ffi = require("ffi")

t.test("addresses in all the forms that events have", function()
    t.equal(BPF.inet_ntop(2, 0x0100007f), "127.0.0.1")
    t.equal(BPF.inet_ntop("inet", 0x0100007fULL), "127.0.0.1")
    t.equal(BPF.inet_ntop(2, ffi.new("uint8_t[4]", { 10, 0, 0, 1 })), "10.0.0.1")
    local six = ffi.new("uint8_t[16]")
    six[15] = 1
    t.equal(BPF.inet_ntop(10, six), "::1")
    t.equal(BPF.inet_ntop("inet6", ffi.new("struct { uint64_t lo, hi; }", { 0, 0x0100000000000000ULL })), "::1")
    t.equal(BPF.inet_ntop(2, BPF.inet_pton(2, "1.2.3.4")), "1.2.3.4")
    t.equal(BPF.inet_pton(10, "nonsense"), nil)
    t.contains(t.fails(BPF.inet_ntop, 2, ffi.new("uint8_t[3]")), "an address of this family has 4 bytes")
    t.contains(t.fails(BPF.inet_ntop, 3, 1), "there is no address family `3`")
end)

t.test("byte order", function()
    t.equal(BPF.ntohs(0x1f90), 0x901f)
    t.equal(BPF.ntohl(0x0100007f), 0x7f000001)
    t.equal(BPF.htonl(0xff000001), 0x010000ff)
    t.equal(BPF.htonll(1ULL) == 0x0100000000000000ULL, true)
    t.equal(BPF.ntohll(1) == 0x0100000000000000ULL, true)
end)

t.test("TCP", function()
    t.equal(BPF.tcp_state_name(1), "ESTABLISHED")
    t.equal(BPF.tcp_state_name(99), "99")
    t.equal(BPF.tcp_flag_names(0x12), "SYN|ACK")
end)

t.test("names of numbers", function()
    t.equal(BPF.errno_name(-2), "ENOENT")
    t.equal(BPF.strerror(2), "no such file or directory")
    t.equal(BPF.signal_name(9), "SIGKILL")
    t.equal(BPF.signal_name(34), "SIGRTMIN+2")
    t.equal(BPF.signal_name(99), "99")
    if jit.arch == "x64" then
        t.equal(BPF.syscall_name(0), "read")
    end
    t.equal(BPF.syscall_name(9999), "[unknown: 9999]")
    t.equal(BPF.syscall_name(-1), "[unknown: -1]")
end)

t.test("times", function()
    local now = BPF.strftime("%Y-%m-%d")
    t.equal(now, os.date("%Y-%m-%d"))
    -- A time stamp of a second ago is a second earlier.
    local before = BPF.monotonic_time() - 1000000000ULL
    local second = tonumber(BPF.strftime("%s", before))
    t.equal(os.time() - second <= 2 and os.time() - second >= 1, true)
    t.equal(#BPF.strftime("%N") == 9 and #BPF.strftime("%L") == 3, true)
    t.equal(BPF.strftime("%%N"), "%N")
    t.contains(t.fails(BPF.strftime, 5), "argument `fmt` of `strftime` is a number: it must be a string")
end)

-- What is printed while a function runs.
local function printed(body)
    local lines, real = {}, print
    print = function(text)
        lines[#lines + 1] = text
    end
    local ok, err = pcall(body)
    print = real
    assert(ok, err)
    return table.concat(lines, "\n")
end

t.test("columns of fixed widths", function()
    t.equal(printed(function()
        local out = BPF.columns({ { "PID", width = 5, right = true }, { "COMM", cut = true }, "FILE" }):header()
        out:row(1, "bash", "/etc/passwd")
        out:row(23ULL, "a-long-name", ffi.new("char[8]", "x"))
    end), "  PID COMM   FILE\n    1 bash   /etc/passwd\n   23 a-lon~ x")
end)

t.test("a table as wide as what is in it", function()
    t.equal(printed(function()
        BPF.print_table({ { "vfs_read", 12 }, { "do_sys_openat2", 3.25 } }, { "FUNCTION", "COUNT" })
    end), "FUNCTION       COUNT\nvfs_read          12\ndo_sys_openat2 3.250")
    t.contains(t.fails(BPF.columns, { { "A", widht = 3 } }), "did you mean `width`")
    t.contains(t.fails(BPF.columns, { 5 }), "column 1 has no heading")
end)

t.test("filters of containers are C", function()
    local text = BPF.filter_by_containers({})
    t.contains(text, "container_should_be_filtered")
    t.equal(text:find("BPF_TABLE_PINNED", 1, true), nil)
    text = BPF.filter_by_containers({ cgroupmap = "/sys/fs/bpf/a", mntnsmap = "/sys/fs/bpf/b", pid = 1 })
    t.contains(text, '"/sys/fs/bpf/a"')
    t.contains(text, '"/sys/fs/bpf/b"')
    t.contains(t.fails(BPF.filter_by_containers, { cgroupmap = 5 }), "option `cgroupmap`")
end)
