# SPDX-License-Identifier: Apache-2.0
"""What a tool asked of bcc, and the end of it once it waits for events."""

import json
import os

KERNEL = None
texts = []
# The last thing that could not be attached, and the list that it would have been in.
refused = None
_file = None
_told = False


def begin(kernel, file):
    """What is recorded goes to `file`, as one line."""
    global KERNEL, _file
    KERNEL, _file = kernel, file


def finish(why=None):
    """Writes the record and ends the process: a tool that waits has done all there is to see."""
    global _told
    if not _told:
        _told = True
        if why and refused:
            refused[0].append(refused[1])
        with open(_file, "w") as out:
            json.dump({"texts": texts, "why": why}, out)
    os._exit(0)


def words(value):
    """Names come as bytes or as str."""
    return value.decode() if isinstance(value, bytes) else str(value)


def raw(value):
    return value if isinstance(value, bytes) else str(value).encode()
