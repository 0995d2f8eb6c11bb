# SPDX-License-Identifier: Apache-2.0
"""Small things that tools take from `bcc.utils`."""

import os
import sys


class ArgString:
    """An argument of the command line, as bytes and as str."""

    def __init__(self, text):
        self.text = os.fsdecode(text)

    def __bytes__(self):
        return os.fsencode(self.text)

    def __str__(self):
        return self.text


def printb(text, file=None, nl=1):
    out = file or sys.stdout
    out.buffer.write(text + b"\n" * bool(nl))


def get_online_cpus():
    return sorted(os.sched_getaffinity(0))


def get_possible_cpus():
    return list(range(os.cpu_count()))


def detect_language(candidates, pid):
    name = os.path.basename(os.readlink("/proc/%d/exe" % pid))
    return next((one for one in candidates if name.startswith(one)), None)
