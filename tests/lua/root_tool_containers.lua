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

local TOOLS = {
    opensnoop = { "--json" },
    execsnoop = { "--json" },
    capable = { "--json" },
    mountsnoop = { "--json", "-P" },
    profile = { "--json", "-F", "499" },
    tcpconnect = { "--json" },
    tcpaccept = { "--json" },
    tcptop = { "--json", "600" },
}

local function check(name, option, path, wanted, other)
    local args = { option, path }
    for i = #TOOLS[name], 1, -1 do
        table.insert(args, 1, TOOLS[name][i])
    end
    local mine, others
    local found = tool.run(name, args, function()
        others = tonumber(tool.sh(other):match("%d+"))
        mine = tonumber(tool.sh(wanted):match("%d+"))
        BPF.sleep(0.2)
    end)
    assert(mentions(found, mine), ("%s does not show %d:\n%s"):format(name, mine, found.out))
    assert(not mentions(found, others), ("%s shows %d:\n%s"):format(name, others, found.out))
end

for name in pairs(TOOLS) do
    t.test(name .. " of one control group", function()
        check(name, "--cgroupmap", by_group, INSIDE, HERE)
    end)
    t.test(name .. " of one mount namespace", function()
        check(name, "--mntnsmap", by_namespace, HERE, ELSEWHERE)
    end)
end

os.remove(by_group)
os.remove(by_namespace)
os.remove(script)
cgroups.remove(group)
