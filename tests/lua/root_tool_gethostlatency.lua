-- SPDX-License-Identifier: Apache-2.0
-- gethostlatency: a name that a program asks for, with a time that is no longer than the call took.

local ffi = require("ffi")
local t = require("harness")
local tool = require("help.tool")

ffi.cdef([[
    int getaddrinfo(const char *node, const char *service, const void *hints, void **result);
    void freeaddrinfo(void *list);
    void *gethostbyname(const char *name);
    int getpid(void);
]])

t.test("calls of this process", function()
    local spent
    local pid = ffi.C.getpid()
    local found = tool.run("gethostlatency", { "--json", "-p", pid }, function(running)
        local list = ffi.new("void *[1]")
        local began = BPF.monotonic_time()
        ffi.C.getaddrinfo("127.0.0.77", nil, nil, list)
        spent = tonumber(BPF.monotonic_time() - began) / 1e6
        ffi.C.freeaddrinfo(list[0])
        ffi.C.gethostbyname("127.0.0.78")
        running:sees("127.0.0.78")
    end)
    local row = found:row({ pid = pid, host = "127.0.0.77" })
    assert(row.latency > 0 and row.latency <= spent, row.latency)
    t.equal(row.comm, "bpflua")
    found:row({ pid = pid, host = "127.0.0.78" })
    t.equal(#found:rows(), 2)
end)

t.test("any process, as text; a file that is no library", function()
    local found = tool.run("gethostlatency", {}, function(running)
        tool.sh("getent ahosts localhost")
        running:sees("localhost")
    end)
    assert(found.out:find("^TIME     PID     COMM                  LATms HOST\n"), found.out)
    assert(found.out:find("\n%d%d:%d%d:%d%d %d+ +getent +%d+%.%d%d localhost\n"), found.out)
    t.equal(tool.start("gethostlatency", { "--library", "/no/library" }):finish(false).status, 3)
end)
