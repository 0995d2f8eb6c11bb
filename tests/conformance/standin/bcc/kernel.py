# SPDX-License-Identifier: Apache-2.0
"""What the kernel at hand has, from a folder of its own files: `kallsyms`, `btf`, `release`, `tracing/events` and,
where the kernel lets them be read, `tracing/available_filter_functions` and `blacklist`."""

import os
import re
import struct

MEMBER_BYTES = 12
# What follows the 12 bytes of a type, by kind: bytes for each of `vlen`, and bytes once. include/uapi/linux/btf.h.
TRAILING = {1: (0, 4), 3: (0, 12), 4: (12, 0), 5: (12, 0), 6: (8, 0), 13: (8, 0), 14: (0, 4), 15: (12, 0),
            17: (0, 4), 19: (12, 0)}
STRUCT, UNION, TYPEDEF, CONST, VOLATILE = 4, 5, 8, 10, 9


class Types:
    """The structs of a kernel and the names of their members."""

    def __init__(self, data):
        magic, _, _, header, types, types_size, strings, strings_size = struct.unpack_from("<HBBIIIII", data)
        if magic != 0xeb9f:
            raise ValueError("no BTF")
        self.data = data
        self.strings = data[header + strings:header + strings + strings_size]
        self.by_id = [0]
        self.structs = {}
        at, end = header + types, header + types + types_size
        while at < end:
            name, info, _ = struct.unpack_from("<III", data, at)
            kind, count = info >> 24 & 0x1f, info & 0xffff
            self.by_id.append(at)
            if kind in (STRUCT, UNION) and name:
                self.structs.setdefault(name, at)
            each, once = TRAILING.get(kind, (0, 0))
            at += 12 + each * count + once

    def text(self, offset):
        return self.strings[offset:self.strings.index(b"\0", offset)]

    def members(self, at):
        """Names of a struct's members, those of its nameless ones with them."""
        _, info, _ = struct.unpack_from("<III", self.data, at)
        for index in range(info & 0xffff):
            name, of, _ = struct.unpack_from("<III", self.data, at + 12 + index * MEMBER_BYTES)
            if name:
                yield self.text(name)
            else:
                yield from self.members(self.resolved(of))

    def resolved(self, identity):
        while True:
            at = self.by_id[identity]
            _, info, of = struct.unpack_from("<III", self.data, at)
            if info >> 24 & 0x1f not in (TYPEDEF, CONST, VOLATILE):
                return at
            identity = of

    def has_field(self, struct_name, field):
        """Whether some struct of this name has the field; None where there is no such struct."""
        found = self.strings.find(b"\0" + struct_name + b"\0")
        if found < 0 or found + 1 not in self.structs:
            return None
        return field in self.members(self.structs[found + 1])


class Kernel:
    def __init__(self, folder):
        self.folder = folder
        # With a list of symbols here it says yes to what would keep a tool from making its text.
        self.agrees = None
        self.release = open(os.path.join(folder, "release")).read().strip()
        self.symbols = {}
        functions, self.places = set(), {}
        for line in open(os.path.join(folder, "kallsyms"), "rb"):
            words = line.split()
            self.symbols.setdefault(words[2], int(words[0], 16))
            if words[1] in b"tTwW":
                functions.add(words[2])
                self.places.setdefault(words[2], set()).add(words[0])
        traceable = self.names("tracing/available_filter_functions", 0)
        self.functions = functions & traceable if traceable else functions
        self.functions -= self.names("blacklist", 1)
        # A function may have several names; the kernel lists one of them.
        self.traceable_places = set().union(*(self.places[name] for name in self.functions))
        self.types = Types(open(os.path.join(folder, "btf"), "rb").read())

    def names(self, path, column):
        """One word of each line of a file that the kernel may not show."""
        try:
            with open(os.path.join(self.folder, path), "rb") as lines:
                return {line.split()[column] for line in lines if line.strip()}
        except OSError:
            return set()

    def address(self, symbol):
        return self.symbols.get(symbol, 1 if self.agrees else -1)

    def can_probe(self, function):
        return not self.traceable_places.isdisjoint(self.places.get(function, ()))

    def functions_matching(self, pattern):
        whole = re.compile(pattern)
        return sorted(name for name in self.functions if whole.fullmatch(name))

    def has_tracepoint(self, category, event):
        return os.path.isdir(os.path.join(self.folder, "tracing/events", category, event))

    def tracepoints_matching(self, pattern):
        whole = re.compile(pattern)
        root = os.path.join(self.folder, "tracing/events")
        for category in sorted(os.listdir(root)):
            inside = os.path.join(root, category)
            for event in sorted(os.listdir(inside)) if os.path.isdir(inside) else ():
                name = ("%s:%s" % (category, event)).encode()
                if os.path.isdir(os.path.join(inside, event)) and whole.fullmatch(name):
                    yield name

    def syscall_prefix(self):
        prefixes = (b"sys_", b"__x64_sys_", b"__arm64_sys_")
        return next((prefix for prefix in prefixes if prefix + b"bpf" in self.symbols), prefixes[0])
