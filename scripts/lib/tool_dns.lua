-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- Which name an address was asked for by: the answers of name servers, as processes of this machine receive them.

local ffi = require("ffi")
local recent = require("bpflua.tool_recent")

local M = {}

-- Behind the text of `tool_sockets`, whose functions it calls. Answers by UDP are at most that long, unless both ends say otherwise.
M.TEXT = [[
#define DNS_BYTES 512
#define DNS_PORT 53

struct dns_answer {
    u64 at;
    u32 size;
    u8 data[DNS_BYTES];
};
struct dns_call {
    void *buffer;
    int fd;
};

BPF_PERF_OUTPUT(dns_answers);
BPF_HASH(dns_calls, u64, struct dns_call, 10240);   // by thread
BPF_PERCPU_ARRAY(dns_blank, struct dns_answer, 1);

static __always_inline int dns_begin(int fd, void *buffer)
{
    u64 id = bpf_get_current_pid_tgid();
    struct dns_call call = { buffer, fd };
    struct sock *sk = socket_of_fd(fd);
    if (sk && sk->sk_protocol == IPPROTO_UDP && sk->__sk_common.skc_dport == bpf_htons(DNS_PORT))
        dns_calls.update(&id, &call);
    return 0;
}

int dns_enter(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    return dns_begin(ctx->args[0], (void *)ctx->args[1]);
}

int dns_enter_message(struct tracepoint__raw_syscalls__sys_enter *ctx)
{
    struct user_msghdr message = {};
    struct iovec part = {};
    bpf_probe_read_user(&message, sizeof(message), (void *)ctx->args[1]);
    bpf_probe_read_user(&part, sizeof(part), message.msg_iov);
    return dns_begin(ctx->args[0], part.iov_base);
}

int dns_exit(struct tracepoint__raw_syscalls__sys_exit *ctx)
{
    u64 id = bpf_get_current_pid_tgid();
    u32 zero = 0;
    struct dns_call *call = dns_calls.lookup(&id);
    struct dns_answer *answer = call && ctx->ret > 0 ? dns_blank.lookup(&zero) : 0;
    if (answer) {
        u32 size = ctx->ret;
        if (size > DNS_BYTES)
            size = DNS_BYTES;
        answer->at = bpf_ktime_get_ns();
        answer->size = size;
        if (!bpf_probe_read_user(answer->data, size, call->buffer))
            dns_answers.perf_submit(ctx, answer, sizeof(*answer));
    }
    if (call)
        dns_calls.delete(&id);
    return 0;
}
]]

local TYPES = { [1] = { family = 2, size = 4 }, [28] = { family = 10, size = 16 } } -- A, AAAA
-- Addresses whose names are kept.
local MOST = 16384

local function u16(data, at)
    local high, low = data:byte(at, at + 1)
    return low and high * 256 + low
end

-- The name at a place, and the place behind it; nil when it is none. Later parts may be a reference to earlier ones.
local function name_at(data, at)
    local labels, behind, hops = {}, nil, 0
    while true do
        local length = data:byte(at)
        if not length or hops > 64 then
            return nil
        elseif length == 0 then
            return table.concat(labels, "."), behind or at + 1
        elseif length >= 0xc0 then
            local target = u16(data, at)
            if not target then
                return nil
            end
            behind, at = behind or at + 2, target - 0xc000 + 1
        else
            labels[#labels + 1] = data:sub(at + 1, at + length)
            at = at + 1 + length
        end
        hops = hops + 1
    end
end

---What an answer says: the name that was asked for, and its addresses.
---@param data string the message (RFC 1035, section 4)
---@return string? name nil when the message is no answer
---@return string[] addresses
function M.parse(data)
    local flags, questions, answers = u16(data, 3), u16(data, 5), u16(data, 7)
    if not answers or flags < 0x8000 or questions ~= 1 then
        return nil, {}
    end
    local asked, at = name_at(data, 13)
    local addresses, name = {}, nil
    at = at and at + 4 -- its type and class
    for _ = 1, at and answers or 0 do
        name, at = name_at(data, at)
        local kind, size = name and u16(data, at), name and u16(data, at + 8)
        if not size then
            break
        end
        local known = TYPES[kind]
        if known and known.size == size and #data >= at + 9 + size then
            addresses[#addresses + 1] = BPF.inet_ntop(known.family, data:sub(at + 10, at + 9 + size))
        end
        at = at + 10 + size
    end
    return asked, addresses
end

---The attachments of the text, for those system calls that this kernel has.
---@param attach table `bpflua.tool_attach`
---@return table[]
function M.way(attach)
    return attach.together(
        (attach.of_syscalls({ "recvfrom", "read" }, { enter = "dns_enter", exit = "dns_exit" })),
        (attach.of_syscalls({ "recvmsg" }, { enter = "dns_enter_message", exit = "dns_exit" }))
    )
end

---Follows the answers. What it gives tells the name that an address was last asked for by, and how many milliseconds before a time
---the answer came.
---@param b BPF
---@return fun(address: string, at: integer): string?, number?
function M.follow(b)
    local known = recent.new(MOST)
    b.dns_answers:open_perf_buffer(function(_, answer)
        local name, addresses = M.parse(ffi.string(answer.data, answer.size))
        for _, address in ipairs(addresses) do
            known:put(address, { name = name, at = answer.at + 0 })
        end
    end, { page_cnt = 64 })
    return function(address, at)
        local found = known:get(address)
        if found then
            return found.name, tonumber(at - found.at) / 1e6
        end
    end
end

return M
