-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "How long programs wait for the addresses of hosts"
description = "Calls of getaddrinfo, gethostbyname and gethostbyname2 in the C library. Programs with resolvers of their own are not seen."
parameters = [
  { name = "pid", flags = "-p --pid", type = "pid", help = "this process only" },
  { name = "library", flags = "--library", type = "path", metavar = "FILE", help = "the C library, or a program that holds one (default: this system's)" },
  { name = "duration", flags = "--duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "time", width = 8 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "comm", width = 16 },
  { name = "latency", title = "LATms", width = 10, type = "number", decimals = 2, unit = "ms" },
  { name = "host" },
]
examples = [
  { run = "", help = "every call" },
  { run = "--library /proc/1234/root/lib/ld-musl-x86_64.so.1", help = "in a container" },
]
[requires]
attach = ["uprobe:*", "uretprobe:*"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#define HOST_SIZE 256

struct call {
    u64 at;
    char host[HOST_SIZE];
};
struct event {
    u64 spent;
    u32 pid;
    char comm[TASK_COMM_LEN];
    char host[HOST_SIZE];
};

BPF_HASH(calls, u64, struct call, 8192);   // by thread
BPF_PERF_OUTPUT(events);

int on_call(struct pt_regs *ctx, const char *host)
{
    u64 id = bpf_get_current_pid_tgid();
    struct call call = { .at = bpf_ktime_get_ns() };
    if (!host)
        return 0;
    bpf_probe_read_user_str(call.host, sizeof(call.host), host);
    calls.insert(&id, &call);   // one of these functions may call another: the outer one counts
    return 0;
}

int on_return(struct pt_regs *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    struct call *call = calls.lookup(&id);
    if (!call)
        return 0;
    struct event event = { .spent = bpf_ktime_get_ns() - call->at, .pid = id >> 32 };
    bpf_get_current_comm(event.comm, sizeof(event.comm));
    __builtin_memcpy(event.host, call->host, sizeof(event.host));
    events.perf_submit(ctx, &event, sizeof(event));
    calls.delete(&id);
    return 0;
}
]]

local b = BPF{ text = TEXT }
local library = args.library or "c"
for _, name in ipairs({ "getaddrinfo", "gethostbyname", "gethostbyname2" }) do
    local place = { name = library, sym = name, pid = args.pid }
    place.fn_name = "on_call"
    b:attach_uprobe(place)
    place.fn_name = "on_return"
    b:attach_uretprobe(place)
end

b.events:open_perf_buffer(function(_, event)
    tool:print{
        time = os.date("%H:%M:%S"),
        pid = event.pid,
        comm = ffi.string(event.comm),
        latency = tonumber(event.spent) / 1e6,
        host = ffi.string(event.host),
    }
end)

tool:header()
tool:run{ duration = args.duration }
