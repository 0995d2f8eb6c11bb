-- SPDX-License-Identifier: Apache-2.0
local d = require("driver")
local b = d.open("iter_task_file", { constants = { targ_tgid = d.C.getpid() } })
d.attached()
local socket = d.socket(d.UDP)
local inodes = {}
for line in b:iter("dump_files"):lines() do
    local fd, inode = line:match("^(%d+) (%d+)$")
    inodes[tonumber(fd)] = inode
end
local link = io.popen(("readlink /proc/%d/fd/%d"):format(d.C.getpid(), socket)):read("*l")
d.same("the socket's inode", "socket:[" .. inodes[socket] .. "]", link)
d.checked("the inode of a socket among the open files")
