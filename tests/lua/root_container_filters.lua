-- SPDX-License-Identifier: Apache-2.0
-- Tools that look at some containers only: those whose control group, or mount namespace, is in a pinned map.

local t = require("harness")
local cgroups = require("help.cgroups")
local tcp = require("help.tcp")
local tool = require("help.tool")

local PINS = ("/sys/fs/bpf/bpflua-containers-%d-"):format(tcp.pid)

-- A pinned set of 64-bit numbers, as who knows of containers keeps it.
local function pinned(name, value_type, number)
    local path = PINS .. name
    local b = BPF{ text = ('BPF_TABLE_PINNED("hash", u64, %s, containers, 1024, "%s");'):format(value_type, path) }
    b.containers[number] = 1
    return path
end

-- The number of a control group is that of its folder.
local group = cgroups.make("bpflua_containers")
local number = tonumber(tool.sh("stat -c %i " .. group))
local by_group = pinned("cgroups", "u64", number)
local namespace = tonumber(tool.sh("readlink /proc/self/ns/mnt"):match("%d+"))
local by_namespace = pinned("mounts", "u32", namespace)

-- What the tools look at: a process that starts, opens, asks for a right, mounts, is busy, and talks TCP; its number.
local WORK = [[
import os, socket, subprocess, sys, time
print(os.getpid())
subprocess.run(["/bin/true"])
try: os.open("/no/such/file", 0)
except OSError: pass
os.chroot("/")
try: subprocess.run(["umount", "/no/such/place"], stderr=subprocess.DEVNULL)
except OSError: pass
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
accepted, _ = server.accept()
client.send(b"x" * 5000)
accepted.recv(5000)
while time.process_time() < 0.4: pass
]]

local script = os.tmpname()
local file = assert(io.open(script, "w"))
file:write(WORK)
file:close()
local INSIDE = ("sh -c 'echo $$ >%s/cgroup.procs; exec python3 %s'"):format(group, script)
local HERE = "python3 " .. script
local ELSEWHERE = "unshare --mount --fork python3 " .. script

-- The processes of the work itself, as the rows have them, and whether one of their children is there.
local function mentions(found, pid)
    for _, row in ipairs(found:rows()) do
        if row.pid == pid or row.ppid == pid then
            return true
        end
    end
    return false
end

-- Both ways come from one function: half of the tools have the one, half the other.
local OF_GROUP = {
    { "opensnoop", "--json" },
    { "mountsnoop", "--json", "-P" },
    { "tcpconnect", "--json" },
    { "tcptop", "--json", "600" },
}
local OF_NAMESPACE = {
    { "execsnoop", "--json" },
    { "capable", "--json" },
    { "profile", "--json", "-F", "499" },
    { "tcpaccept", "--json" },
}

-- All of them beside the same work, which is seen, and the same work elsewhere, which is not.
local function check(tools, option, path, wanted, other)
    local running = {}
    for i, words in ipairs(tools) do
        local args = { unpack(words, 2) }
        args[#args + 1], args[#args + 2] = option, path
        running[i] = tool.start(words[1], args)
    end
    local others = tonumber(tool.sh(other):match("%d+"))
    local mine = tonumber(tool.sh(wanted):match("%d+"))
    BPF.sleep(0.2)
    for i, words in ipairs(tools) do
        local found = running[i]:finish()
        t.equal(found.status, 0)
        assert(mentions(found, mine), ("%s does not show %d:\n%s%s"):format(words[1], mine, found.out, found.err))
        assert(not mentions(found, others), ("%s shows %d:\n%s"):format(words[1], others, found.out))
    end
end

t.test("one control group", function()
    check(OF_GROUP, "--cgroupmap", by_group, INSIDE, HERE)
end)

t.test("one mount namespace", function()
    check(OF_NAMESPACE, "--mntnsmap", by_namespace, HERE, ELSEWHERE)
end)

os.remove(by_group)
os.remove(by_namespace)
os.remove(script)
cgroups.remove(group)
