-- SPDX-License-Identifier: Apache-2.0
-- Network namespaces with devices between them, for programs that see, change and forward packets.

local ffi = require("ffi")
local modules = require("help.modules")

ffi.cdef([[
    int setns(int fd, int type);
    int open(const char *path, int flags, ...);
    int close(int fd);
    int getpid(void);
]])

local M = {}

local CLOEXEC, CLONE_NEWNET = 0x80000, 0x40000000
local PREFIX = ("bpflua%d"):format(ffi.C.getpid())
local made, devices, links = {}, {}, 0

local function run(command)
    local pipe = assert(io.popen(command .. " 2>&1"))
    local text = pipe:read("*a")
    return pipe:close() == true, text
end

---Runs a command, which must succeed; what it printed.
function M.run(command)
    local ok, text = run(command)
    assert(ok, command .. ": " .. text)
    return text
end

-- The program that pings.
local function pinger()
    return BPF.find_exe("ping") and "ping" or BPF.find_exe("busybox") and "busybox ping"
end

---Why this machine cannot have such namespaces, if so.
function M.lacking()
    if not BPF.find_exe("ip") then
        return "there is no program `ip`"
    elseif not pinger() then
        return "there is no program `ping`"
    end
    -- `bridge` needs the two before it.
    modules.load("veth", "llc", "stp", "bridge", "sch_ingress", "cls_bpf")
    local name = PREFIX:sub(1, 13) .. "x"
    local ok, text = run(("ip link add %s type veth && ip link del %s"):format(name, name))
    return not ok and "no virtual Ethernet devices: " .. text:match("[^\n]*") or nil
end

local function full(name)
    return PREFIX .. "-" .. name
end

-- Names of devices have 15 characters at most.
local function new_device()
    links = links + 1
    return ("bl%d.%d"):format(ffi.C.getpid(), links)
end

-- The words of `ip` for a namespace; none for the one that the test was started in.
local function at(namespace)
    return namespace and ("ip -n %s "):format(full(namespace)) or "ip "
end

---Runs a command in a namespace, which must succeed; what it printed.
---@param namespace string
function M.exec(namespace, command)
    return M.run(("ip netns exec %s %s"):format(full(namespace), command))
end

---A namespace of this name. It has no IPv6, whose own packets would be counted with those of a test.
function M.make(name)
    M.run("ip netns add " .. full(name))
    made[#made + 1] = name
    M.exec(name, "sh -c 'for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do [ ! -e $f ] || echo 1 >$f; done'")
    M.run(at(name) .. "link set lo up")
end

---Calls a function with this thread in a namespace; gives what it gives.
function M.within(namespace, body)
    local home = ffi.C.open("/proc/thread-self/ns/net", CLOEXEC)
    local there = ffi.C.open("/run/netns/" .. full(namespace), CLOEXEC)
    assert(home >= 0 and there >= 0, "cannot open network namespaces")
    assert(ffi.C.setns(there, CLONE_NEWNET) == 0, "cannot enter " .. namespace)
    local results = { pcall(body) }
    assert(ffi.C.setns(home, CLONE_NEWNET) == 0, "cannot come back")
    ffi.C.close(home)
    ffi.C.close(there)
    assert(results[1], results[2])
    return unpack(results, 2)
end

---Two devices joined to each other.
---@param one {at?: string, name?: string, address?: string} without `at`: where the test is, and with a name of its own
---@param other table likewise
---@return string name, string name
function M.join(one, other)
    local names = {}
    for i = 1, 2 do
        names[i] = new_device()
    end
    M.run(("ip link add %s type veth peer name %s"):format(names[1], names[2]))
    devices[#devices + 1] = not one.at and not other.at and names[1] or nil
    for i, side in ipairs({ one, other }) do
        if side.at then
            M.run(("ip link set %s netns %s name %s"):format(names[i], full(side.at), side.name))
            names[i] = side.name
        else
            M.quiet(names[i])
        end
        if side.address then
            M.run(at(side.at) .. ("addr add %s dev %s"):format(side.address, names[i]))
        end
        M.run(at(side.at) .. ("link set %s up"):format(names[i]))
    end
    return names[1], names[2]
end

---Takes IPv6 from a device where the test is.
function M.quiet(device)
    os.execute(("echo 1 >/proc/sys/net/ipv6/conf/%s/disable_ipv6 2>/dev/null"):format(device))
end

---A bridge of the kernel's own, where the test is, of some devices there.
function M.bridge(...)
    local name = new_device()
    M.run(("ip link add %s type bridge"):format(name))
    devices[#devices + 1] = name
    M.quiet(name)
    for _, device in ipairs({ ... }) do
        M.run(("ip link set %s master %s"):format(device, name))
    end
    M.run(("ip link set %s up"):format(name))
end

---Pings; every answer must come.
---@param namespace string
---@param address string
---@param count integer
function M.ping(namespace, address, count)
    local text = M.exec(namespace, ("%s -c %d -i 0.02 -W 20 %s"):format(pinger(), count, address))
    assert(text:find((" %d packets received"):format(count)) or text:find((" %d received"):format(count)), text)
end

---The number of a device of a namespace.
function M.index(device, namespace)
    return tonumber(M.run(at(namespace) .. ("-o link show dev %s"):format(device)):match("^(%d+):"))
end

---The address of a device's hardware, as a number in the order of its bytes.
function M.mac(device, namespace)
    local bytes = M.run(at(namespace) .. ("-o link show dev %s"):format(device)):match("link/ether (%S+)")
    return tonumber((bytes:gsub(":", "")), 16)
end

---Runs a test with namespaces; they are gone afterwards, however it ends.
function M.test(body)
    local ok, err = xpcall(body, debug.traceback)
    for _, name in ipairs(made) do
        run("ip netns del " .. full(name))
    end
    for _, device in ipairs(devices) do
        run("ip link del " .. device)
    end
    made, devices = {}, {}
    assert(ok, err)
end

return M
