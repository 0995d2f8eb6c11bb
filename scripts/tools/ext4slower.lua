-- SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
--[==[ pack
summary = "ext4 operations that take long"
description = """
Shows reads, writes, opens and syncs of files that took longer than MIN_MS, measured in the functions of the file system; where they cannot be
probed, in the system calls on its files."""
parameters = [
  { name = "pid", flags = "-p --pid", type = "pid", help = "show this process only" },
  { name = "csv", flags = "-j --csv", type = "flag", help = "print CSV" },
  { name = "syscalls", flags = "--syscalls", type = "flag", help = "measure system calls, even where functions can be probed" },
  { name = "duration", flags = "-d --duration", type = "duration", help = "stop after this time" },
  { name = "min_ms", type = "number", positional = true, range = [0, 3600000], default = 10, help = "milliseconds that an operation takes to be shown" },
]
columns = [
  { name = "time", width = 8 },
  { name = "comm", width = 14 },
  { name = "pid", width = 7, type = "integer", right = false },
  { name = "op", title = "T", width = 1 },
  { name = "bytes", width = 7, type = "integer", unit = "bytes" },
  { name = "offset", title = "OFF_KB", width = 8, type = "number", decimals = 0, unit = "KiB" },
  { name = "latency", title = "LAT(ms)", width = 9, type = "number", decimals = 3, unit = "ms" },
  { name = "file", title = "FILENAME" },
]
examples = [
  { run = "", help = "what takes more than 10 milliseconds" },
  { run = "1", help = "what takes more than one" },
  { run = "-p 181 0", help = "every operation of process 181" },
]
[requires]
attach = ["kprobe:ext4_*", "kretprobe:ext4_*", "tracepoint:syscalls:sys_*"]
]==]

local tool = BPF.tool()
require("bpflua.tool_fsslower")(tool, "ext4")
