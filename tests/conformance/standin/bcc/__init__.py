# SPDX-License-Identifier: Apache-2.0
"""A stand-in for bcc's Python module: tools that import it build their C texts and say what they attach; both are
recorded, nothing is compiled or loaded. What they ask about the kernel is answered from that kernel's own files."""

import os
import re
import shutil
import sys
import time

from . import record
from .compare import StrcmpRewrite
from .elf import Elf, function_names, library_path
from .loose import Loose
from .record import raw, words
from .table import Table
from .usdt import USDT, USDTException
from .utils import ArgString

__version__ = "stand-in"


class PerfType:
    HARDWARE, SOFTWARE, TRACEPOINT, HW_CACHE, RAW, BREAKPOINT = range(6)


class PerfHWConfig:
    (CPU_CYCLES, INSTRUCTIONS, CACHE_REFERENCES, CACHE_MISSES, BRANCH_INSTRUCTIONS, BRANCH_MISSES, BUS_CYCLES,
     STALLED_CYCLES_FRONTEND, STALLED_CYCLES_BACKEND, REF_CPU_CYCLES) = range(10)


class PerfSWConfig:
    (CPU_CLOCK, TASK_CLOCK, PAGE_FAULTS, CONTEXT_SWITCHES, CPU_MIGRATIONS, PAGE_FAULTS_MIN, PAGE_FAULTS_MAJ,
     ALIGNMENT_FAULTS, EMULATION_FAULTS, DUMMY, BPF_OUTPUT) = range(11)


class Function:
    def __init__(self, name):
        self.name = name
        self.fd = -1


class BPF:
    (SOCKET_FILTER, KPROBE, SCHED_CLS, SCHED_ACT, TRACEPOINT, XDP, PERF_EVENT, CGROUP_SKB, CGROUP_SOCK, LWT_IN, LWT_OUT,
     LWT_XMIT, SOCK_OPS, SK_SKB, CGROUP_DEVICE, SK_MSG, RAW_TRACEPOINT, CGROUP_SOCK_ADDR) = range(1, 19)
    TRACING, LSM = 26, 29

    def __init__(self, src_file=b"", hdr_file=b"", text=None, debug=0, cflags=(), usdt_contexts=(), allow_rlimit=True,
                 device=None, attach_usdt_ignore_pid=False):
        if text is None:
            with open(self._source(words(src_file))) as source:
                text = source.read()
        self.operations = []
        self.counts = {}
        for context in usdt_contexts:
            for probe, function in context.enabled:
                self._note("usdt", path=context.path, pid=context.pid is not None, probe=probe, fn_name=function)
        if words(text).strip():
            record.texts.append({"text": words(text), "cflags": [words(flag) for flag in cflags],
                                 "operations": self.operations})

    @staticmethod
    def _source(name):
        beside = os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), name)
        return name if os.path.exists(name) else beside

    def _note(self, kind, there=True, **what):
        """Fails where there is nothing to attach to: some tools then try something else."""
        if not there:
            record.refused = (self.operations, {"kind": kind, **what})
            raise Exception("nothing to attach %s to" % what)
        self.operations.append({"kind": kind, **what})
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return self

    # Attaching

    def attach_kprobe(self, event=b"", event_off=0, fn_name=b"", event_re=b""):
        return self._kprobes("kprobe", event, event_off, fn_name, event_re)

    def attach_kretprobe(self, event=b"", fn_name=b"", event_re=b"", maxactive=0):
        return self._kprobes("kretprobe", event, 0, fn_name, event_re)

    def _kprobes(self, kind, event, offset, fn_name, event_re):
        if event_re:
            if not record.KERNEL.functions_matching(raw(event_re)):
                raise Exception("no function matches %s" % words(event_re))
            return self._note(kind, event_re=words(event_re), fn_name=words(fn_name))
        there = record.KERNEL.can_probe(raw(event))
        return self._note(kind, there, event=words(event), offset=offset, fn_name=words(fn_name))

    def attach_tracepoint(self, tp=b"", tp_re=b"", fn_name=b""):
        names = list(record.KERNEL.tracepoints_matching(raw(tp_re))) if tp_re else [tp]
        for name in names:
            there = record.KERNEL.has_tracepoint(*words(name).split(":", 1))
            self._note("tracepoint", there, tp=words(name), fn_name=words(fn_name))
        return self

    def attach_raw_tracepoint(self, tp=b"", fn_name=b""):
        return self._note("raw_tracepoint", tp=words(tp), fn_name=words(fn_name))

    def attach_uprobe(self, name=b"", sym=b"", sym_re=b"", addr=None, fn_name=b"", pid=-1, sym_off=0):
        return self._uprobes("uprobe", name, sym, sym_re, addr, fn_name, pid, sym_off)

    def attach_uretprobe(self, name=b"", sym=b"", sym_re=b"", addr=None, fn_name=b"", pid=-1):
        return self._uprobes("uretprobe", name, sym, sym_re, addr, fn_name, pid, 0)

    def _uprobes(self, kind, name, sym, sym_re, addr, fn_name, pid, offset):
        place = {"name": words(name), "fn_name": words(fn_name), "pid": pid is not None and int(pid) > 0}
        if sym_re:
            for symbol in sorted({one for one, _ in self.get_user_functions_and_addresses(name, sym_re)}):
                self._note(kind, sym=words(symbol), offset=0, **place)
        elif addr is not None:
            self._note(kind, addr=addr, **place)
        else:
            path = library_path(place["name"])
            there = path is not None and raw(sym) in function_names(path)
            self._note(kind, there, sym=words(sym), offset=offset, **place)
        return self

    def attach_perf_event(self, ev_type=-1, ev_config=-1, fn_name=b"", sample_period=0, sample_freq=0, pid=-1, cpu=-1,
                          group_fd=-1):
        return self._note("perf_event", ev_type=ev_type, ev_config=ev_config, fn_name=words(fn_name),
                          sample_period=int(sample_period), sample_freq=int(sample_freq))

    def load_func(self, name, kind, device=None, attach_type=-1):
        self._note("load", fn_name=words(name), program=kind)
        return Function(words(name))

    def detach_kprobe(self, event, fn_name=None):
        pass

    detach_kretprobe = detach_uprobe = detach_uretprobe = detach_tracepoint = detach_kprobe

    # What the tools look at afterwards

    def num_open_kprobes(self):
        return self.counts.get("kprobe", 0) + self.counts.get("kretprobe", 0)

    def num_open_uprobes(self):
        return sum(self.counts.get(kind, 0) for kind in ("uprobe", "uretprobe", "usdt"))

    def num_open_tracepoints(self):
        return self.counts.get("tracepoint", 0)

    @property
    def kprobe_fds(self):
        return {operation.get("event", ""): {} for operation in self.operations if "kprobe" in operation["kind"]}

    @property
    def uprobe_fds(self):
        return {operation.get("sym", ""): {} for operation in self.operations if "uprobe" in operation["kind"]}

    def get_table(self, name, keytype=None, leaftype=None, reducer=None):
        return Table(name)

    def __getitem__(self, name):
        return Table(name)

    def __setitem__(self, name, value):
        pass

    def cleanup(self):
        pass

    def add_module(self, _name):
        pass

    def sym(*_, **__):
        return b"[unknown]"

    ksym = sym

    def wait(self, *_, **__):
        """Events never come: the tool's record is whole."""
        record.finish()

    perf_buffer_poll = perf_buffer_consume = ring_buffer_poll = ring_buffer_consume = wait
    kprobe_poll = trace_print = trace_fields = trace_readline = trace_open = wait

    # What the kernel has

    @staticmethod
    def kernel_struct_has_field(struct_name, field_name):
        found = record.KERNEL.types.has_field(raw(struct_name), raw(field_name))
        return -1 if found is None else int(found)

    @staticmethod
    def get_kprobe_functions(event_re):
        return record.KERNEL.functions_matching(raw(event_re))

    @staticmethod
    def tracepoint_exists(category, event):
        return record.KERNEL.has_tracepoint(words(category), words(event))

    @staticmethod
    def get_tracepoints(tp_re):
        return list(record.KERNEL.tracepoints_matching(raw(tp_re)))

    @staticmethod
    def support_kfunc():
        return b"bpf_trampoline_link_prog" in record.KERNEL.symbols

    @staticmethod
    def support_raw_tracepoint():
        return b"bpf_find_raw_tracepoint" in record.KERNEL.symbols or \
            b"bpf_get_raw_tracepoint" in record.KERNEL.symbols

    @staticmethod
    def support_raw_tracepoint_in_module():
        return b"bpf_trace_modules" in record.KERNEL.symbols

    @staticmethod
    def ksymname(name):
        return record.KERNEL.address(raw(name))

    @staticmethod
    def get_syscall_prefix():
        return record.KERNEL.syscall_prefix()

    @classmethod
    def get_syscall_fnname(cls, name):
        return cls.get_syscall_prefix() + raw(name)

    @classmethod
    def fix_syscall_fnname(cls, name):
        for prefix in (b"sys_", b"__x64_sys_", b"__arm64_sys_"):
            if raw(name).startswith(prefix):
                return cls.get_syscall_fnname(raw(name)[len(prefix):])
        return raw(name)

    @staticmethod
    def get_probe_limit():
        return 1000

    @staticmethod
    def monotonic_time():
        return time.monotonic_ns()

    @staticmethod
    def generate_auto_includes(program_words):
        return ""

    # What user space has

    @staticmethod
    def find_library(name):
        found = library_path(words(name))
        return found.encode() if found else None

    @staticmethod
    def find_exe(name):
        found = shutil.which(words(name))
        return found.encode() if found else None

    @staticmethod
    def get_user_functions_and_addresses(name, sym_re):
        path = library_path(words(name))
        whole = re.compile(raw(sym_re))
        found = sorted({(one, address) for one, address in Elf(path).functions() if whole.match(one)})
        return found

    @classmethod
    def get_user_functions(cls, name, sym_re):
        return {one for one, _ in cls.get_user_functions_and_addresses(name, sym_re)}

    @classmethod
    def get_user_addresses(cls, name, sym_re):
        return {address for _, address in cls.get_user_functions_and_addresses(name, sym_re)}
