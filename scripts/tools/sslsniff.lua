-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "What programs send and receive over TLS, before it is encrypted and after it is decrypted"
description = "By the functions of OpenSSL, GnuTLS and NSS, those of them that this system has. Programs that hold a library of their own: --extra-lib."
parameters = [
  { name = "pid", flags = "-p --pid", type = "pid", help = "this process only" },
  { name = "uid", flags = "-u --uid", type = "integer", range = [0, 4294967295], help = "this user's only" },
  { name = "comm", flags = "-c --comm", metavar = "NAME", help = "commands of this name only" },
  { name = "extra", flags = "-x --extra", type = "flag", help = "show the user's ID and the thread" },
  { name = "no_openssl", flags = "-o --no-openssl", type = "flag", help = "leave out OpenSSL" },
  { name = "no_gnutls", flags = "-g --no-gnutls", type = "flag", help = "leave out GnuTLS" },
  { name = "no_nss", flags = "-n --no-nss", type = "flag", help = "leave out NSS" },
  { name = "latency", flags = "-l --latency", type = "flag", help = "show how long the calls took" },
  { name = "handshake", flags = "--handshake", type = "flag", help = "show OpenSSL's handshakes with their time, too" },
  { name = "debug", flags = "-d --debug", type = "flag", help = "print the C text first" },
  { name = "hexdump", flags = "--hexdump", type = "flag", help = "show bytes in hexadecimal digits" },
  { name = "max_buffer_size", flags = "--max-buffer-size", type = "size", range = [0, 16384], default = 8192, metavar = "BYTES", help = "bytes of a call at most" },
  { name = "extra_lib", flags = "--extra-lib", many = true, metavar = "TYPE:FILE", help = "this library or program, too: openssl:, gnutls: or nss: and its path" },
  { name = "duration", flags = "--duration", type = "duration", help = "stop after this time" },
]
columns = [
  { name = "func", width = 12 },
  { name = "elapsed", title = "TIME(s)", width = 18, type = "number", decimals = 9, unit = "s", right = false },
  { name = "comm", width = 16 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "len", width = 6, type = "integer", right = false, unit = "bytes" },
  { name = "uid", width = 7, type = "integer", right = false, when = "extra" },
  { name = "tid", width = 7, type = "integer", right = false, when = "extra" },
  { name = "latency", title = "LAT(ms)", width = 7, type = "number", decimals = 3, unit = "ms", when = "latency" },
  { name = "data", title = "", width = 1 },
]
examples = [
  { run = "-c curl", help = "what curl sends and receives" },
  { run = "-l --handshake", help = "with times, of handshakes, too" },
  { run = "--extra-lib openssl:/opt/app/libssl.so.3", help = "a library that is somewhere else" },
]
[requires]
attach = ["uprobe:*", "uretprobe:*"]
lua = ["ffi"]
]==]

local ffi = require("ffi")
local tool = BPF.tool()
local args = tool.args

local TEXT = [[
#define MOST 16384   // what a record of TLS holds

const volatile u32 only_pid = 0, only_uid = -1, most = 8192;

enum kind { WRITE_SEND, READ_RECV, HANDSHAKE };
struct call {
    u64 at;
    const char *buffer;
    u64 *length;   // where functions put it that return a success, else 0
};
struct event {
    u64 at, spent;
    u32 pid, tid, uid;
    u32 length, size;   // what the call moved, and what of it is here
    u32 kind;
    char comm[TASK_COMM_LEN];
    char data[MOST];
};

BPF_HASH(calls, u64, struct call, 16384);   // by thread
BPF_PERCPU_ARRAY(blank, struct event, 1);
BPF_PERF_OUTPUT(events);

static __always_inline int enter(const char *buffer, u64 *length)
{
    u64 id = bpf_get_current_pid_tgid();
    struct call call = { bpf_ktime_get_ns(), buffer, length };
    if ((only_pid && id >> 32 != only_pid) || (only_uid != (u32)-1 && (u32)bpf_get_current_uid_gid() != only_uid))
        return 0;
    calls.update(&id, &call);
    return 0;
}

static __always_inline int leave(struct pt_regs *ctx, u32 kind)
{
    u64 id = bpf_get_current_pid_tgid(), length = 0;
    int result = PT_REGS_RC(ctx);
    u32 zero = 0;
    struct call *call = calls.lookup(&id);
    struct event *event = blank.lookup(&zero);
    if (!call || !event)
        return 0;
    if (result > 0 && kind != HANDSHAKE) {
        length = result;
        if (call->length)
            bpf_probe_read_user(&length, sizeof(length), call->length);
    }
    event->at = bpf_ktime_get_ns();
    event->spent = event->at - call->at;
    event->pid = id >> 32;
    event->tid = id;
    event->uid = bpf_get_current_uid_gid();
    event->length = length;
    event->kind = kind;
    bpf_get_current_comm(event->comm, sizeof(event->comm));
    u32 size = length < most ? length : most;
    if (size > MOST || bpf_probe_read_user(event->data, size, call->buffer))
        size = 0;
    event->size = size;
    calls.delete(&id);
    if (result > 0 && size <= MOST)
        events.perf_submit(ctx, event, offsetof(struct event, data) + size);
    return 0;
}

int on_enter(struct pt_regs *ctx, void *session, const char *buffer)
{
    return enter(buffer, 0);
}

int on_enter_ex(struct pt_regs *ctx, void *session, const char *buffer, size_t size, u64 *length)
{
    return enter(buffer, length);
}

int on_write(struct pt_regs *ctx)
{
    return leave(ctx, WRITE_SEND);
}

int on_read(struct pt_regs *ctx)
{
    return leave(ctx, READ_RECV);
}

int on_handshake(struct pt_regs *ctx)
{
    return leave(ctx, HANDSHAKE);
}
]]

local _ = args.debug and io.stderr:write(TEXT, "\n")
local b = BPF{
    text = TEXT,
    constants = { only_pid = args.pid, only_uid = args.uid, most = args.max_buffer_size },
}

-- Functions by library: the name, what runs at its start and at its end; the last ones are not in every version.
local LIBRARIES = {
    openssl = {
        name = "ssl",
        { "SSL_write", "on_enter", "on_write" },
        { "SSL_read", "on_enter", "on_read" },
        { "SSL_write_ex", "on_enter_ex", "on_write", true },
        { "SSL_read_ex", "on_enter_ex", "on_read", true },
    },
    gnutls = {
        name = "gnutls",
        { "gnutls_record_send", "on_enter", "on_write" },
        { "gnutls_record_recv", "on_enter", "on_read" },
    },
    nss = {
        name = "nspr4",
        { "PR_Write", "on_enter", "on_write" },
        { "PR_Send", "on_enter", "on_write" },
        { "PR_Read", "on_enter", "on_read" },
        { "PR_Recv", "on_enter", "on_read" },
    },
}
if args.handshake then
    table.insert(LIBRARIES.openssl, { "SSL_do_handshake", "on_enter", "on_handshake" })
end

local function attach(library, file)
    for _, one in ipairs(library) do
        local sym, enter, leave, is_optional = unpack(one)
        local place = { name = file, sym = sym, pid = args.pid, fn_name = enter }
        local ok, why = pcall(b.attach_uprobe, b, place)
        if ok then
            place.fn_name = leave
            b:attach_uretprobe(place)
        elseif not is_optional then
            error(why, 0)
        end
    end
end

local function attach_all()
    local count = 0
    for kind, library in pairs(LIBRARIES) do
        if not args["no_" .. kind] and BPF.find_library(library.name) then
            attach(library, library.name)
            count = count + 1
        end
    end
    for _, extra in ipairs(args.extra_lib) do
        local kind, file = extra:match("^(%w+):(.+)$")
        if not LIBRARIES[kind] then
            tool:fail(("`%s` of --extra-lib names no library"):format(extra), "it is openssl:FILE, gnutls:FILE or nss:FILE")
        end
        attach(LIBRARIES[kind], file)
        count = count + 1
    end
    if count == 0 then
        tool:fail("there is nothing to trace", "this system has none of the libraries that are asked for")
    end
end
attach_all()

local KINDS = { [0] = "WRITE/SEND", "READ/RECV", "HANDSHAKE" }

-- A text; for people the lines of a block that stands below the call.
local function data_of(event)
    local bytes = ffi.string(event.data, event.size)
    if args.hexdump then
        bytes = bytes:gsub(".", function(byte)
            return ("%02x"):format(byte:byte())
        end)
    end
    if tool.form.json or tool.form.csv then
        return bytes
    elseif event.kind == 2 then
        return nil
    end
    local lines = { "----- DATA -----" }
    local text = args.hexdump and bytes:gsub(("."):rep(64), "%0\n") or bytes
    for line in (text:gsub("\n$", "") .. "\n"):gmatch("(.-)\r?\n") do
        lines[#lines + 1] = line
    end
    local missing = event.length > event.size and (" (%d bytes more)"):format(event.length - event.size) or ""
    lines[#lines + 1] = ("----- END DATA%s -----"):format(missing)
    return lines
end

local start
b.events:open_perf_buffer(function(_, event)
    local comm = ffi.string(event.comm)
    if args.comm and comm ~= args.comm then
        return
    end
    start = start or event.at
    tool:print{
        func = KINDS[event.kind],
        elapsed = tonumber(event.at - start) / 1e9,
        comm = comm,
        pid = event.pid,
        len = event.length,
        uid = event.uid,
        tid = event.tid,
        latency = tonumber(event.spent) / 1e6,
        data = data_of(event),
    }
end, { page_cnt = 256 })

tool:header()
tool:run{ duration = args.duration }
