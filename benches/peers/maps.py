#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""maps.py ENTRIES ROUNDS: as benches/scripts/maps.lua, with bcc's Python."""
import os
import sys
import time

from bcc import BPF

entries, rounds = int(sys.argv[1]), int(sys.argv[2])
here = os.path.dirname(os.path.abspath(__file__))
b = BPF(src_file=os.path.join(here, "..", "texts", "maps.c").encode(), cflags=["-DMOST=%d" % max(16384, entries)])
counts, per_cpu = b["counts"], b["per_cpu"]
wanted = entries * (entries + 1) // 2 * 3


def fill():
    keys = (counts.Key * entries)(*range(1, entries + 1))
    values = (counts.Leaf * entries)(*(i * 3 for i in range(1, entries + 1)))
    counts.items_update_batch(keys, values)


def timed(name, work):
    start = time.process_time_ns()
    work()
    print("%s %.3f" % (name, (time.process_time_ns() - start) / entries), flush=True)


def walk():
    total = 0
    for _, value in counts.items():
        total += value.value
    assert total == wanted


def walk_per_cpu():
    total = 0
    for _, values in per_cpu.items():
        for value in values:
            total += value
    assert total >= wanted


if entries <= 16384:
    for i in range(1, entries + 1):
        leaf = per_cpu.Leaf()
        leaf[0] = i * 3
        per_cpu[per_cpu.Key(i)] = leaf
print("ready", flush=True)
for _ in range(rounds):
    fill()
    timed("items", walk)
    if entries <= 16384:
        timed("percpu", walk_per_cpu)
    timed("clear", counts.clear)
