-- SPDX-License-Identifier: Apache-2.0
-- NAME an object that was compiled before, perhaps under another kernel
-- REQUIRES root, btf
-- usage: portable.lua OBJECT

local b = BPF{object = arg[1]}
b:attach_kprobe{event = b:get_syscall_fnname("getpgid"), fn_name = "on_call"}
b.events:open_perf_buffer(function(cpu, event)
    local born = event.start_time > 0 and event.start_time < event.now
    print(("%d %d %s %s"):format(event.tid, event.leader, event.comm, born and "born before now" or "born never"))
end)
print("ready")
while not BPF.stopped() do
    b:perf_buffer_poll()
end
