-- SPDX-License-Identifier: Apache-2.0
-- Contexts, in the form of a bcc-lua script: `contexts.lua VALUES SERVER PID`, the last one a process of SERVER.

local values, server, pid = arg[1], arg[2], tonumber(arg[3])

local TEXT = [[
BPF_HASH(hits, u32, u64);
int on_tick(struct pt_regs *ctx)
{
    u32 pid = bpf_get_current_pid_tgid() >> 32;
    hits.increment(pid);
    return 0;
}
int on_text(struct pt_regs *ctx)
{
    return on_tick(ctx);
}
]]

-- How many processes were seen while each program ran once.
local function seen(options)
    local b = BPF:new(options)
    os.spawn("echo 1 | %s", server)
    os.spawn("%s", values)
    local count = #b.hits
    b:cleanup()
    return count
end

return function(BPF, utils)
    local one = utils.USDT:new{path = values}
    one:enable_probe{probe = "text", fn_name = "on_text"}
    assert(seen{text = TEXT, usdt = one} == 1)
    local process = USDT{pid = pid}
    process:enable_probe{probe = "server:tick", fn_name = "on_tick"}
    assert(seen{text = TEXT, usdt = process} == 0)
    assert(seen{text = TEXT, usdt = process, attach_usdt_ignore_pid = true} == 1)
    assert(seen{text = TEXT, usdt_contexts = {one, process}, attach_usdt_ignore_pid = true} == 2)
    print("all seen")
end
