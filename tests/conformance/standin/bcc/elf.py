# SPDX-License-Identifier: Apache-2.0
"""Functions and USDT probes of 64-bit ELF files."""

import functools
import os
import struct
import subprocess
from collections import namedtuple

Section = namedtuple("Section", "name kind address offset size link")
Note = namedtuple("Note", "provider name arguments location")
SYMTAB, DYNSYM, NOTE, FUNCTION, INDIRECT_FUNCTION = 2, 11, 7, 2, 10


def library_path(name):
    """The file of a shared library, from the dynamic linker's cache; a path stays what it is."""
    if "/" in name:
        return name if os.path.exists(name) else None
    listed = subprocess.run(["/sbin/ldconfig", "-p"], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in listed.splitlines():
        if line.startswith("\tlib%s.so" % name) and "x86-64" in line:
            return line.split(" => ")[1]
    return None


@functools.lru_cache
def function_names(path):
    return frozenset(name for name, _ in Elf(path).functions())


class Elf:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        if self.data[:5] != b"\x7fELF\x02":
            raise ValueError("%s is no 64-bit ELF file" % path)
        start, = struct.unpack_from("<Q", self.data, 0x28)
        size, count, names = struct.unpack_from("<HHH", self.data, 0x3a)
        rows = [struct.unpack_from("<IIQQQQI", self.data, start + size * index) for index in range(count)]
        strings = rows[names][4] if rows else 0
        self.sections = [Section(self.text(strings + row[0]), row[1], row[3], row[4], row[5], row[6]) for row in rows]

    def text(self, at):
        return self.data[at:self.data.index(b"\0", at)]

    def functions(self):
        """Name and address of each function that is defined here."""
        for section in self.sections:
            if section.kind not in (SYMTAB, DYNSYM):
                continue
            strings = self.sections[section.link].offset
            for at in range(section.offset, section.offset + section.size, 24):
                name, info, _, index, value, _ = struct.unpack_from("<IBBHQQ", self.data, at)
                if info & 15 in (FUNCTION, INDIRECT_FUNCTION) and index and value:
                    yield self.text(strings + name), value

    def probes(self):
        """The USDT probes, from their notes."""
        for section in self.sections:
            if section.kind == NOTE and section.name == b".note.stapsdt":
                yield from self.notes(section)

    def notes(self, section):
        at = section.offset
        while at < section.offset + section.size:
            name_size, size, _ = struct.unpack_from("<III", self.data, at)
            at += 12 + (name_size + 3 & ~3)
            provider, name, arguments = self.data[at + 24:at + size].split(b"\0")[:3]
            location, = struct.unpack_from("<Q", self.data, at)
            yield Note(provider, name, arguments.split(), location)
            at += size + 3 & ~3
