#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""live.py perf|ring: as benches/scripts/live.lua, with bcc's Python; wake-ups are batched where bcc can do that."""
import os
import signal
import sys

from bcc import BPF

kind = sys.argv[1]
here = os.path.dirname(os.path.abspath(__file__))
b = BPF(src_file=os.path.join(here, "..", "texts", "live_%s.c" % kind).encode())
events = b["events"]
delivered = lost = total = 0
stop = False


def take(cpu, data, size):
    global delivered, total
    delivered += 1
    total += events.event(data).val


def lose(count):
    global lost
    lost += count


def on_stop(*_):
    global stop
    stop = True


signal.signal(signal.SIGINT, on_stop)
if kind == "perf":
    events.open_perf_buffer(take, page_cnt=4096, lost_cb=lose, wakeup_events=256)
else:
    events.open_ring_buffer(take)
print("ready", flush=True)
while not stop:
    b.perf_buffer_poll(100) if kind == "perf" else b.ring_buffer_poll(100)
b.detach_tracepoint("syscalls:sys_enter_getppid")
b.perf_buffer_consume() if kind == "perf" else b.ring_buffer_consume()
print("told", delivered, lost, b["hits"][0].value, flush=True)
