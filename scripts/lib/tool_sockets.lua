-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
-- What tools on TCP have in common: who talks to whom on a socket, which of them a user asks for, and the columns that show it.

local ffi = require("ffi")
local errors = require("bpflua.errors")
local net = require("bpflua.net")

local M = {}

-- In front of a tool's own text. A tuple can be a key: what is not set in it is 0.
local TEXT = [[
// Ports in the host's order; addresses in the network's, of IPv4 the first four bytes.
struct tcp_tuple {
    u8 saddr[16], daddr[16];
    u16 family, lport, dport;
};

// False, when the socket is none of IPv4 or IPv6.
static __always_inline bool tcp_tuple_of(struct sock *sk, struct tcp_tuple *tuple)
{
    __builtin_memset(tuple, 0, sizeof(*tuple));
    tuple->family = sk->__sk_common.skc_family;
    tuple->lport = sk->__sk_common.skc_num;
    if (!tuple->lport)   // of a socket that was closed
        tuple->lport = bpf_ntohs(((struct inet_sock *)sk)->inet_sport);
    tuple->dport = bpf_ntohs(sk->__sk_common.skc_dport);
    if (tuple->family == AF_INET) {
        *(u32 *)tuple->saddr = sk->__sk_common.skc_rcv_saddr;
        *(u32 *)tuple->daddr = sk->__sk_common.skc_daddr;
    } else if (tuple->family == AF_INET6) {
        bpf_probe_read_kernel(tuple->saddr, 16, sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
        bpf_probe_read_kernel(tuple->daddr, 16, sk->__sk_common.skc_v6_daddr.in6_u.u6_addr8);
    } else {
        return false;
    }
    return true;
}

// The socket behind a descriptor of the current process; NULL, when it is none.
static __always_inline struct sock *socket_of_fd(int fd)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task();
    if (fd < 0 || fd >= task->files->fdt->max_fds)
        return 0;
    struct file *file = task->files->fdt->fd[fd];
    if (!file || (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
        return 0;
    struct socket *socket = file->private_data;
    return socket->sk;
}

// What a user asks for: a family (0: any), a port of ours and one of theirs out of lists (none: any).
#define MOST_PORTS 16
const volatile u16 only_family = 0, only_lports[MOST_PORTS] = {}, only_dports[MOST_PORTS] = {};
const volatile u32 lports_count = 0, dports_count = 0;

static __always_inline bool has_port(const volatile u16 *list, u32 count, u16 port)
{
    if (!count)
        return true;
    for (int i = 0; i < MOST_PORTS; i++)
        if (i < count && list[i] == port)
            return true;
    return false;
}

static __always_inline bool tcp_tuple_is_wanted(const struct tcp_tuple *tuple)
{
    if (only_family && tuple->family != only_family)
        return false;
    return has_port(only_lports, lports_count, tuple->lport) && has_port(only_dports, dports_count, tuple->dport);
}
]]

local AF_INET, AF_INET6 = 2, 10
-- As above.
local MOST_PORTS = 16

---The C text of a tool on TCP, with what these tools share in front of it: `struct tcp_tuple`, `tcp_tuple_of(sk, &tuple)`,
---`tcp_tuple_is_wanted(&tuple)`, `socket_of_fd(fd)`.
---@param text string
---@return string
function M.text(text)
    return TEXT .. text
end

local function ports(flag, text)
    local list = {}
    for word in (text or ""):gmatch("[^,%s]+") do
        local port = tonumber(word)
        if not word:find("^%d+$") or port > 65535 then
            errors.fail({ what = ("`%s` of %s is no port"):format(word, flag), why = "ports are numbers from 0 to 65535, with commas between" })
        end
        list[#list + 1] = port
    end
    if #list > MOST_PORTS then
        errors.fail({ what = ("%s has %d ports"):format(flag, #list), why = ("%d are the most"):format(MOST_PORTS) })
    end
    return list, #list
end

---The constants that the shared text has, by the arguments of a tool, for `BPF{constants = …}`.
---@param args {ipv4?: boolean, ipv6?: boolean} the tool's
---@param more? {lports?: string, dports?: string, lflag?: string, dflag?: string} lists of ports as they were typed, and by what option
---@return table<string, any>
function M.constants(args, more)
    more = more or {}
    local lports, lcount = ports(more.lflag or "--localport", more.lports)
    local dports, dcount = ports(more.dflag or "--remoteport", more.dports)
    local family = 0
    if args.ipv4 ~= args.ipv6 then
        family = args.ipv4 and AF_INET or args.ipv6 and AF_INET6 or 0
    end
    return { only_family = family, only_lports = lports, lports_count = lcount, only_dports = dports, dports_count = dcount }
end

local function address(family, bytes)
    return net.inet_ntop(family, ffi.string(bytes, family == AF_INET and 4 or 16))
end

---The columns `ip`, `saddr`, `lport`, `daddr`, `dport` of a `struct tcp_tuple`.
---@param tuple ffi.cdata*
---@param row? table<string, any> where to put them
---@return table<string, any> row
function M.columns(tuple, row)
    row = row or {}
    row.ip = tuple.family == AF_INET and 4 or 6
    row.saddr, row.daddr = address(tuple.family, tuple.saddr), address(tuple.family, tuple.daddr)
    row.lport, row.dport = tuple.lport, tuple.dport
    return row
end

return M
