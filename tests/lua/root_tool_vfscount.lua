-- SPDX-License-Identifier: Apache-2.0
-- vfscount: calls of vfs_ functions, where functions can be probed.

local t = require("harness")
local tool = require("help.tool")

t.test("calls by function", function()
    local outcome = tool.start("vfscount", { "--json", "0.01" }):finish(false)
    if outcome.status == 3 then
        t.contains(outcome.err, "cannot attach kprobe")
        return t.skip("calls by function", "this kernel lets no functions be probed")
    end
    local found = tool.run("vfscount", { "--json" }, function()
        tool.sh("dd if=/dev/zero of=/dev/null bs=1 count=1000 2>/dev/null")
    end)
    for _, name in ipairs({ "vfs_read", "vfs_write" }) do
        local row = found:row({ func = name })
        assert(row.count >= 1000 and row.count < 100000, row.count)
    end
end)
