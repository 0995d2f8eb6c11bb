-- SPDX-License-Identifier: Apache-2.0
-- Every kind of section that libbpf 1.7 knows: the program that the kernel gets has the type that the section says.

local t = require("harness")

-- BPF_PROG_TYPE_* by name.
local TYPES = {
    SOCKET_FILTER = 1, KPROBE = 2, SCHED_CLS = 3, SCHED_ACT = 4, TRACEPOINT = 5, XDP = 6, PERF_EVENT = 7, CGROUP_SKB = 8,
    CGROUP_SOCK = 9, LWT_IN = 10, LWT_OUT = 11, LWT_XMIT = 12, SOCK_OPS = 13, SK_SKB = 14, CGROUP_DEVICE = 15,
    SK_MSG = 16, RAW_TRACEPOINT = 17, CGROUP_SOCK_ADDR = 18, LWT_SEG6LOCAL = 19, LIRC_MODE2 = 20, SK_REUSEPORT = 21,
    FLOW_DISSECTOR = 22, CGROUP_SYSCTL = 23, RAW_TRACEPOINT_WRITABLE = 24, CGROUP_SOCKOPT = 25, TRACING = 26,
    LSM = 29, SK_LOOKUP = 30, SYSCALL = 31, NETFILTER = 32,
}

-- Type, what the program returns, and its sections.
local SECTIONS = {
    { "SOCKET_FILTER", 1, "socket" },
    { "SK_REUSEPORT", 1, "sk_reuseport sk_reuseport/migrate" },
    { "KPROBE", 1, "kprobe/vfs_read kretprobe/vfs_read kprobe.multi/vfs_* kretprobe.multi/vfs_* kprobe.session/vfs_*" },
    { "KPROBE", 1, "ksyscall/read kretsyscall/read" },
    { "KPROBE", 1, "uprobe//bin/sh:main uprobe.s//bin/sh:main uretprobe//bin/sh:main uretprobe.s//bin/sh:main" },
    { "KPROBE", 1, "uprobe.multi//bin/sh:m* uretprobe.multi//bin/sh:m* uprobe.session//bin/sh:m*" },
    { "KPROBE", 1, "uprobe.multi.s//bin/sh:m* uretprobe.multi.s//bin/sh:m* uprobe.session.s//bin/sh:m*" },
    { "SCHED_CLS", 1, "tc tc/ingress tc/egress tcx/ingress tcx/egress classifier netkit/primary netkit/peer" },
    { "SCHED_ACT", 1, "action" },
    { "TRACEPOINT", 1, "tp/sched/sched_switch tracepoint/sched/sched_switch" },
    { "RAW_TRACEPOINT", 1, "raw_tp/sys_enter raw_tracepoint/sys_enter" },
    { "RAW_TRACEPOINT_WRITABLE", 1, "raw_tp.w/bpf_test_finish raw_tracepoint.w/bpf_test_finish" },
    { "TRACING", 1, "tp_btf/sys_enter fmod_ret/security_file_open fmod_ret.s/security_file_open" },
    { "TRACING", 0, "fentry/vfs_read fexit/vfs_read fentry.s/security_file_open fexit.s/security_file_open" },
    { "TRACING", 0, "iter/task iter.s/task fsession/vfs_read fsession.s/security_file_open" },
    { "LSM", 0, "lsm/file_open lsm.s/file_open" },
    { "LSM", 1, "lsm_cgroup/socket_create" },
    { "SYSCALL", 1, "syscall" },
    { "XDP", 1, "xdp xdp.frags xdp/devmap xdp.frags/devmap xdp/cpumap xdp.frags/cpumap" },
    { "PERF_EVENT", 1, "perf_event" },
    { "LWT_IN", 1, "lwt_in" },
    { "LWT_OUT", 1, "lwt_out" },
    { "LWT_XMIT", 1, "lwt_xmit" },
    { "LWT_SEG6LOCAL", 1, "lwt_seg6local" },
    { "SOCK_OPS", 1, "sockops" },
    { "SK_SKB", 1, "sk_skb sk_skb/stream_parser sk_skb/stream_verdict sk_skb/verdict" },
    { "SK_MSG", 1, "sk_msg" },
    { "LIRC_MODE2", 1, "lirc_mode2" },
    { "FLOW_DISSECTOR", 0, "flow_dissector" },
    { "CGROUP_SKB", 1, "cgroup_skb/ingress cgroup_skb/egress cgroup/skb" },
    { "CGROUP_SOCK", 1, "cgroup/sock cgroup/sock_create cgroup/sock_release cgroup/post_bind4 cgroup/post_bind6" },
    { "CGROUP_SOCK_ADDR", 1, "cgroup/bind4 cgroup/bind6 cgroup/connect4 cgroup/connect6 cgroup/connect_unix" },
    { "CGROUP_SOCK_ADDR", 1, "cgroup/sendmsg4 cgroup/sendmsg6 cgroup/sendmsg_unix" },
    { "CGROUP_SOCK_ADDR", 1, "cgroup/recvmsg4 cgroup/recvmsg6 cgroup/recvmsg_unix" },
    { "CGROUP_SOCK_ADDR", 1, "cgroup/getpeername4 cgroup/getpeername6 cgroup/getpeername_unix" },
    { "CGROUP_SOCK_ADDR", 1, "cgroup/getsockname4 cgroup/getsockname6 cgroup/getsockname_unix" },
    { "CGROUP_SYSCTL", 1, "cgroup/sysctl" },
    { "CGROUP_SOCKOPT", 1, "cgroup/getsockopt cgroup/setsockopt" },
    { "CGROUP_DEVICE", 1, "cgroup/dev" },
    { "SK_LOOKUP", 1, "sk_lookup" },
    { "NETFILTER", 1, "netfilter" },
}

local functions, text = {}, { '#include "vmlinux.h"\n#include <bpf/bpf_helpers.h>\n' }
for _, row in ipairs(SECTIONS) do
    for section in row[3]:gmatch("%S+") do
        local name = "f" .. #functions + 1
        functions[#functions + 1] = { name = name, section = section, type = TYPES[row[1]] }
        text[#text + 1] = ('SEC("?%s") int %s(void *ctx) { return %d; }\n'):format(section, name, row[2])
    end
end
local b = BPF{ text = table.concat(text) }

-- What a kernel may lack, in the words of the error; anything else is a failure of ours.
local LACKING = {
    "this kernel does not know programs of this kind",
    "this kernel refuses programs of this kind",
    "in the kernel's BTF",
    "is not sleepable",
    "programs can be sleepable",
    "attach to unsupported member",
}

local function loaded_type(fd)
    for line in io.lines("/proc/self/fdinfo/" .. fd) do
        local number = line:match("^prog_type:%s*(%d+)")
        if number then
            return tonumber(number)
        end
    end
end

local loaded, lacking = 0, {}
for _, one in ipairs(functions) do
    local ok, program = pcall(b.load_func, b, one.name)
    if ok then
        t.equal(loaded_type(program.fd), one.type)
        loaded = loaded + 1
    else
        local known = false
        for _, words in ipairs(LACKING) do
            known = known or tostring(program):find(words, 1, true)
        end
        assert(known, one.section .. ": " .. tostring(program))
        lacking[#lacking + 1] = one.section
    end
end
io.stderr:write(("sections: %d of %d loaded"):format(loaded, #functions))
io.stderr:write(#lacking > 0 and "; this kernel has no " .. table.concat(lacking, ", ") .. "\n" or "\n")
-- A kernel with half of them is none that anybody traces with.
assert(loaded > #functions / 2)
