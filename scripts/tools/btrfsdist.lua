-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "How long btrfs operations take, as histograms"
description = """
Shows histograms of how long reads, writes, opens and syncs of files took, measured in the functions of the file system; where they cannot be
probed, in the system calls on its files."""
parameters = [
  { name = "notimestamp", flags = "-T --notimestamp", type = "flag", help = "leave out the time of day" },
  { name = "milliseconds", flags = "-m --milliseconds", type = "flag", help = "milliseconds instead of microseconds" },
  { name = "pid", flags = "-p --pid", type = "pid", help = "measure this process only" },
  { name = "syscalls", flags = "--syscalls", type = "flag", help = "measure system calls, even where functions can be probed" },
  { name = "interval", type = "duration", positional = true, help = "time between two outputs; without, one at the end" },
  { name = "count", type = "integer", positional = true, range = [1, 1000000000], help = "number of outputs" },
]
examples = [
  { run = "", help = "until Ctrl-C" },
  { run = "-m 5", help = "every five seconds, in milliseconds" },
  { run = "-p 181 1 10", help = "process 181, ten outputs of a second" },
]
[requires]
attach = ["kprobe:btrfs_*", "kretprobe:btrfs_*", "tracepoint:syscalls:sys_*"]
]==]

local tool = BPF.tool()
require("bpflua.tool_fsdist")(tool, "btrfs")
