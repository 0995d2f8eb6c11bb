#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""attach.py FILE: as benches/scripts/attach.lua, with bcc's Python."""
import sys
import time

from bcc import BPF

with open(sys.argv[1]) as file:
    names = file.read().split()
b = BPF(text="int hit(struct pt_regs *ctx) { return 0; }")


def timed(name, work):
    start = time.monotonic()
    work()
    print("%s %.3f" % (name, (time.monotonic() - start) * 1e3), flush=True)


timed("attach", lambda: b.attach_kprobe(event_re="^(" + "|".join(names) + ")$", fn_name="hit"))
print("ready", b.num_open_kprobes(), flush=True)
timed("detach", b.cleanup)
