-- SPDX-License-Identifier: Apache-2.0
-- NAME after Ctrl-C the code behind the loop runs; a second Ctrl-C ends that, too
-- REQUIRES root, btf
-- usage: after_the_loop.lua [spin]

local b = BPF{text = [[
int after_call(struct pt_regs *ctx)
{
    return 0;
}
]]}
b:attach_kprobe{event = b:get_syscall_fnname("getpgid"), fn_name = "after_call"}
BPF.interval(0.01, function() print("tick") end)
while not BPF.stopped() do
    b:perf_buffer_poll()
end
print("after the loop")
io.stdout:flush()
while arg[1] == "spin" do end
