# SPDX-License-Identifier: Apache-2.0
"""A value that takes whatever a tool does with it: empty maps, events that never come."""


class Loose:
    value = 0

    def __init__(self, *_, **__):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Loose()

    def __call__(self, *_, **__):
        return Loose()

    def __getitem__(self, _):
        return Loose()

    def __setitem__(self, *_):
        pass

    def __delitem__(self, _):
        pass

    def __contains__(self, _):
        return False

    def __iter__(self):
        return iter(())

    def __len__(self):
        return 0

    def __int__(self):
        return 0

    def __index__(self):
        return 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None
