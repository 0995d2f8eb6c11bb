-- SPDX-License-Identifier: Apache-2.0
-- What is attached to devices, sockets and control groups goes with the process, however it ends.

local t = require("harness")
local ffi = require("ffi")
local groups = require("help.cgroups")
local modules = require("help.modules")
os.execute("ip link set lo up 2>/dev/null")
modules.load("sch_ingress", "cls_bpf")
ffi.cdef("int kill(int pid, int signal);")

local SIGKILL, SIGINT = 9, 2
local group = groups.make("bpflua-killed-" .. tostring(os.time()))

-- Attaches all it can, says its process number and the numbers of its programs, and waits.
local SCRIPT = [[
local ffi = require("ffi")
ffi.cdef("int getpid(void);")
local b = BPF({ text = [==[
BPF_SOCKMAP(sockets, 2);
int xdp_killed(struct xdp_md *ctx) { return XDP_PASS; }
int skb_killed(struct __sk_buff *skb) { return 1; }
int msg_killed(struct sk_msg_md *msg) { return SK_PASS; }
int lookup_killed(struct bpf_sk_lookup *ctx) { return SK_PASS; }
int perf_killed(struct bpf_perf_event_data *ctx) { return 0; }
BPF_ITER(task) { return 0; }
]==] })
b:attach_xdp("lo", "xdp_killed")
b:attach_tc({ fn_name = "skb_killed", dev = "lo" })
b:attach_cgroup({ fn_name = "skb_killed", path = arg[1], type = "egress" })
b:attach_sockmap({ fn_name = "msg_killed", map = "sockets" })
b:attach_netns({ fn_name = "lookup_killed" })
b:attach_raw_socket("skb_killed", "lo")
b:attach_perf_event({ ev_type = 1, ev_config = 0, fn_name = "perf_killed", sample_freq = 9 })
local stays = false
for _, probe in ipairs(b:probes()) do
    stays = stays or probe.mechanism == "clsact"
end
print(ffi.C.getpid(), #b:probes(), stays)
io.flush()
b:perf_buffer_poll_loop()
]]

local file = os.tmpname()
local handle = io.open(file, "w")
handle:write(SCRIPT)
handle:close()

local function run(signal)
    local child = io.popen(("exec /proc/%d/exe %s %s"):format(ffi.C.getpid(), file, group))
    local pid, count, stays = child:read("*l"):match("^(%d+)%s+(%d+)%s+(%S+)")
    t.equal(tonumber(count), 8)
    ffi.C.kill(tonumber(pid), signal)
    child:close()
    return stays == "true"
end

-- Everything can be attached again, where nothing else may be: on the device, the group and the namespace.
local function all_gone()
    local b = BPF({ text = [[
int on_packet(struct xdp_md *ctx) { return XDP_PASS; }
int on_skb(struct __sk_buff *skb) { return 1; }
int on_lookup(struct bpf_sk_lookup *ctx) { return SK_PASS; }
]] })
    b:attach_xdp("lo", "on_packet", BPF.XDP_FLAGS_UPDATE_IF_NOEXIST)
    b:attach_func(b:load_func("on_skb", BPF.CGROUP_SKB), group, "CGROUP_INET_EGRESS", 1)
    b:attach_netns({ fn_name = "on_lookup" })
    b:cleanup()
end

ffi.cdef("int getpid(void);")
t.test("after Ctrl-C", function()
    run(SIGINT)
    all_gone()
    local tc = io.popen("tc qdisc show dev lo 2>/dev/null")
    t.equal(tc:read("*a"):find("clsact"), nil)
    tc:close()
end)

t.test("after SIGKILL", function()
    local stays = run(SIGKILL)
    all_gone()
    if stays then
        -- Kernels before 6.6 have no links for traffic control, and `b:probes()` says so.
        os.execute("tc qdisc del dev lo clsact 2>/dev/null")
    end
end)

os.remove(file)
groups.remove(group)
