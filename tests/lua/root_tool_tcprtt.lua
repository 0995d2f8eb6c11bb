-- SPDX-License-Identifier: Apache-2.0
-- tcprtt: the histogram holds the time that the kernel tells the socket's own program (TCP_INFO).

local ffi = require("ffi")
local t = require("harness")
local tcp = require("help.tcp")
local tool = require("help.tool")

-- `tcpi_rtt` of `struct tcp_info`, in microseconds.
local function rtt(fd)
    local info, length = ffi.new("uint32_t[64]"), ffi.new("uint32_t[1]", 256)
    assert(ffi.C.getsockopt(fd, 6, 11, info, length) == 0)
    return info[17]
end

local function count_at(buckets, value)
    for _, bucket in ipairs(buckets) do
        if bucket.low <= value and value <= bucket.high then
            return bucket.count
        end
    end
    return 0
end

t.test("the time that the kernel has measured", function()
    local pair, before
    local rows = tool.run("tcprtt", { "--json", "-e", "-B", "-A", "127.0.0.1" }, function()
        pair = tcp.pair()
        pair:exchange(10, 10)
        before = rtt(pair.client)
        pair:exchange(0, 10) -- a packet to the client, which changes nothing before it is counted
    end):rows()
    pair:close()
    local histogram, summary = rows[1].histogram, rows[#rows]
    t.equal(histogram.section .. histogram.unit, "127.0.0.1usecs")
    assert(count_at(histogram.buckets, before) > 0, before .. json.encode(histogram))
    t.equal(summary.address, "127.0.0.1")
    assert(summary.count >= 4 and summary.average > 0)
end)

t.test("ports and addresses that nothing is of", function()
    for _, filter in ipairs({ { "-p", "1" }, { "-P", "1" }, { "-a", "127.0.0.2" }, { "-A", "::2" } }) do
        local found = tool.run("tcprtt", { "--json", unpack(filter) }, function()
            local pair = tcp.pair()
            pair:exchange(10, 10)
            pair:close()
        end)
        t.equal(found.out, "")
    end
    t.contains(tool.start("tcprtt", { "-a", "localhost" }):finish(false).err, "`localhost` of --laddr is no address")
end)
