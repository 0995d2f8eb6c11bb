#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""symbols.py COUNT: as benches/scripts/symbols.lua, with bcc's Python."""
import os
import sys
import time

from bcc import BPF

count = int(sys.argv[1])
kernel, user = [], []
with open("/proc/kallsyms") as lines:
    for line in lines:
        address, kind = line.split()[:2]
        if len(kernel) < count and kind in "tT":
            kernel.append(int(address, 16) + 1)
with open("/proc/self/maps") as lines:
    for line in lines:
        if " r-xp " in line and "/libc" in line:
            first, last = (int(digits, 16) for digits in line.split()[0].split("-"))
            user = [first + int((last - first) * ((i * 0.6180339887) % 1)) for i in range(1, count + 1)]


def timed(name, addresses, resolve):
    start, known = time.process_time_ns(), 0
    for address in addresses:
        if resolve(address) != b"[unknown]":
            known += 1
    print("%s %.3f" % (name, (time.process_time_ns() - start) / max(len(addresses), 1)), flush=True)
    print("known %s %d of %d" % (name, known, len(addresses)), flush=True)


pid = os.getpid()
timed("kernel", kernel, BPF.ksym)
timed("user", user, lambda address: BPF.sym(address, pid))
