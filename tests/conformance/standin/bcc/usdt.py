# SPDX-License-Identifier: Apache-2.0
"""USDT probes of a program or of a running process."""

import os
import re
import sys

from .elf import Elf
from .record import words

_SIZES = {"1": "uint8_t", "2": "uint16_t", "4": "uint32_t", "8": "uint64_t",
          "-1": "int8_t", "-2": "int16_t", "-4": "int32_t", "-8": "int64_t"}


class USDTException(Exception):
    pass


class Probe:
    def __init__(self, path, note):
        self.provider, self.name, self.arguments = note.provider, note.name, note.arguments
        self.bin_path, self.location = path, note.location
        self.num_locations = 1
        self.num_arguments = len(note.arguments)


class USDT:
    def __init__(self, pid=None, path=None):
        if pid is None and path is None:
            raise USDTException("neither a pid nor a path")
        self.pid = pid if pid is not None and int(pid) >= 0 else None
        self.path = words(path) if path else os.path.realpath("/proc/%d/exe" % self.pid)
        try:
            self.found = [Probe(self.path.encode(), note) for note in Elf(self.path).probes()]
        except (OSError, ValueError) as error:
            raise USDTException(str(error))
        self.enabled = []

    def enumerate_probes(self):
        return list(self.found)

    def probe_named(self, probe):
        name = words(probe).split(":")[-1].encode()
        for one in self.found:
            if one.name == name:
                return one
        raise USDTException("%s has no USDT probe %s" % (self.path, words(probe)))

    def enable_probe(self, probe, fn_name):
        self.probe_named(probe)
        self.enabled.append((words(probe), words(fn_name)))

    def enable_probe_or_bail(self, probe, fn_name):
        try:
            self.enable_probe(probe, fn_name)
        except USDTException as error:
            sys.exit(str(error))

    def get_probe_arg_ctype(self, probe, index):
        argument = self.probe_named(probe).arguments[index]
        return _SIZES[re.match(rb"(-?\d+)@", argument).group(1).decode()]

    def enumerate_active_probes(self):
        """Path, function, place in the file and process of each probe that is enabled."""
        return [(self.path.encode(), function.encode(), self.probe_named(probe).location, self.pid)
                for probe, function in self.enabled]

    def get_text(self):
        return ""

    def get_context(self):
        return self
