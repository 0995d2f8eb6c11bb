# SPDX-License-Identifier: Apache-2.0
"""Names of TCP's states and flags. Nothing is printed here, so none are needed."""

tcpstate = {}


def flags2str(_flags):
    return ""
