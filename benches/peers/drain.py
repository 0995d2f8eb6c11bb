#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""drain.py perf|ring sum|text PROGRAM EVENTS: as drain.c, with bcc's Python."""
import os
import sys

from bcc import BPF

kind, how, program, wanted = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
texts = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "texts")
b = BPF(src_file=os.path.join(texts, kind + ".c").encode())
b.attach_uprobe(name=program, sym="fire", fn_name="fired")
events = b["events"]
null = open("/dev/null", "w")
total = seen = 0
by_pid = {}


def take(cpu, data, size):
    global total, seen, by_pid
    e = events.event(data)
    total += e.val
    pid = e.pid
    by_pid[pid] = by_pid.get(pid, 0) + 1
    if how == "text":
        null.write("%-8d %-16s %d\n" % (pid, e.comm.decode(), e.ts))
    seen += 1
    if seen == wanted:
        print("round", total, flush=True)
        total, seen = 0, 0


if kind == "perf":
    events.open_perf_buffer(take, page_cnt=512)
else:
    events.open_ring_buffer(take)
print("ready", flush=True)
while True:
    b.perf_buffer_poll() if kind == "perf" else b.ring_buffer_poll()
