# SPDX-License-Identifier: Apache-2.0
"""The tools that are compared: for each the arguments, the work beside it (`peer_tools_work`), and what of the work is
looked for in what the tool prints. {NAME} is a value that the work told."""

import re


class Lines:
    """How many lines a pattern is found in. Two patterns: bcc's, bpflua's."""

    def __init__(self, words, patterns, truth):
        self.words, self.truth = words, str(truth)
        self.patterns = patterns if isinstance(patterns, tuple) else (patterns, patterns)

    def value(self, text, told, whose):
        pattern = re.compile(fill(self.patterns[whose], told))
        return sum(bool(pattern.search(line)) for line in text.splitlines())


class Total(Lines):
    """The sum of the numbers that a pattern's group is found at."""

    def value(self, text, told, whose):
        pattern = re.compile(fill(self.patterns[whose], told))
        found = [pattern.search(line) for line in text.splitlines()]
        total = sum(float(one.group(1)) for one in found if one)
        return int(total) if total == int(total) else round(total, 2)


class Bucket:
    """The counts of histograms: of all buckets, or of the one that holds a value. `section`: the histograms whose line above
    the buckets is found by this pattern, else all."""

    def __init__(self, words, truth, at=None, section=None):
        self.words, self.truth, self.at, self.section = words, str(truth), at, section

    def value(self, text, told, _whose):
        total, inside = 0, self.section is None
        for line in text.splitlines():
            row = re.match(r"\s*(\d+)\s*(?:->\s*(\d+))?\s*:\s*(\d+)\s*\|", line)
            if not row and self.section and line.strip() and ":" not in line:
                inside = bool(re.search(fill(self.section, told), line))
            if row and inside:
                low, high, count = int(row.group(1)), int(row.group(2) or row.group(1)), int(row.group(3))
                total += count if self.at is None or low <= self.at <= high else 0
        return total


def fill(pattern, told):
    return re.sub(r"\{(\w+)\}", lambda one: re.escape(told.get(one.group(1), one.group(0))), pattern)


class Case:
    """`on`: the folder or disk that the work gets: a file system's type, `disk`, or none. `once`: the tool ends by itself."""

    def __init__(self, tool, arguments, work, facts, on=None, once=False):
        self.tool, self.arguments, self.work, self.facts, self.on, self.once = tool, arguments, work, facts, on, once


def of_file_system(kind):
    operations = (("writes", "write", 4), ("reads", "read", 3), ("opens", "open", 1))
    dist = [Bucket(words, truth, section="= '?(%s_file_)?%s" % (kind, name)) for words, name, truth in operations]
    slower = [Lines(words, r"python3\s.*\s%s\s.*peer-file" % letter, truth) for words, letter, truth in
              (("writes", "W", 4), ("reads", "R", 3), ("opens", "O", 1), ("fsyncs", "S", 1))]
    return [Case(kind + "dist", "-p {pid}", "file", dist, kind), Case(kind + "slower", "-p {pid} 0", "file", slower, kind)]


def seen(case, result, whose):
    """What a run reported of each fact; `whose`: 0 bcc's, 1 bpflua's."""
    text = result["out"] + "\n" + result["err"]
    return [fact.value(text, result["told"], int(whose)) for fact in case.facts]


LIBC = "/lib/x86_64-linux-gnu/libc.so.6"

CASES = [
    Case("argdist", "-i 1 -C 't:syscalls:sys_enter_getpgid():int:args->pid'", "groups",
         [Total("getpgid(1)", r"^\s*(\d+)\s+args->pid = b?'?1\b", 5)]),
    Case("bashreadline", "", "prompt", [Lines("lines of a shell", r"{shell}\s+(echo peer \$\(\(40\+2\)\)|exit)$", 2)]),
    Case("biolatency", "", "disk", [Bucket("requests", 17)], "disk"),
    Case("biosnoop", "", "disk", [Lines("writes of 64 KiB", r"dd\s.*\sW\s.*\s65536\s", 10),
                                  Lines("reads of 4 KiB", r"dd\s.*\sR\s.*\s4096\s", 7)], "disk"),
    Case("biotop", "-C 1", "disk", [Total("writes", r"dd\s+W\s+\d+\s+\d+\s+\S+\s+(\d+)\s", 10),
                                    Total("reads", r"dd\s+R\s+\d+\s+\d+\s+\S+\s+(\d+)\s", 7)], "disk"),
    Case("bpflist", "", "map_of_bpf", [Total("maps of a process", r"{pid}\s+\S+\s+map\s+(\d+)", 1)], once=True),
    *of_file_system("btrfs"),
    Case("cachestat", "1", "cache", [Total("pages that were not cached", r"^\s*\d+\s+(\d+)\s+\d+\s+\d+\.\d+[%\s]", "2048 and more")], "ext4"),
    Case("capable", "", "capabilities", [Lines("chroot, once allowed and once not", r"\s18\s+CAP_SYS_CHROOT", 2)]),
    Case("cpudist", "-O -P -m", "sleeps_long", [Bucket("a sleep of 0.7 s", 1, 700, r"^pid = {pid}\b")]),
    Case("deadlock", "{pid} --binary " + LIBC, "locks", [Lines("locks in two orders", r"(?i)potential deadlock", 1)]),
    Case("execsnoop", "", "execs", [Lines("programs with their argument", r"echo\s.*/bin/echo peer-\d", 3)]),
    Case("exitsnoop", "", "exits", [Lines("code 3", (r"^sh\s.*code 3", r"^sh\s+\d+\s+\d+\s+\d+\s+[\d.]+\s+3\s"), 3), Lines("killed by SIGTERM", r"^sh\s.*(signal 15|SIGTERM)", 1)]),
    *of_file_system("ext4"),
    Case("filelife", "", "lives", [Lines("a file that lived 0.3 s", r"python3\s.*\s0\.[3-9]\d*\s.*peer-gone", 1)], "ext4"),
    Case("fileslower", "0", "file", [Lines("writes", r"python3\s.*\sW\s+5000\s.*peer-file", 4),
                                     Lines("reads", r"python3\s.*\sR\s+5000\s.*peer-file", 3)], "ext4"),
    Case("filetop", "-C 1", "file", [Total("writes", r"python3\s+\d+\s+(\d+)\s.*peer-file", 4),
                                     Total("reads", r"python3\s+(\d+)\s.*peer-file", 3)], "ext4"),
    Case("funccount", "-p {pid} do_nanosleep", "sleeps", [Total("calls", r"do_nanosleep\s+(\d+)", 5)]),
    Case("funclatency", "-m -p {pid} do_nanosleep", "sleeps", [Bucket("sleeps of 0.1 s", 5, 100)]),
    Case("funcslower", "-m 50 -p {pid} do_nanosleep", "sleeps", [Lines("sleeps", r"\s{pid}\s.*do_nanosleep", 5)]),
    Case("gethostlatency", "", "hosts", [Lines("a name asked for", r"getent\s.*localhost", 1)]),
    Case("hardirqs", "-C", "file", [Lines("handlers", r"^\S+\s+\d+$", ">0")], "ext4"),
    Case("killsnoop", "", "kills", [Lines("signals of a process", r"\s{pid}\s+python3\s+(18|9)\s", 3)]),
    Case("llcstat", "5", "busy", [Lines("a busy process", r"{pid}\s+python3", 1)]),
    Case("memleak", "-p {pid} -o 0 1", "memory", [Lines("2 times 30,001 bytes", r"60002 bytes in 2 allocations", ">0")]),
    Case("mountsnoop", "", "mounts", [Lines("mount and umount", r"python3\s.*u?mount2?\(.*peer-mounted", 2)]),
    *(Case(kind, arguments, "nothing", []) for kind, arguments in (("nfsdist", "1"), ("nfsslower", "0"))),
    Case("offcputime", "-p {pid} -f", "sleeps_long", [Total("µs in a sleep of 0.7 s", r"do_nanosleep.* (\d+)$", "700,000 and more")]),
    Case("offwaketime", "-p {pid} -f", "waits", [Total("µs waiting for a pipe, 0.5 s", r"pipe_read.* (\d+)$", "500,000 and more")]),
    Case("oomkill", "", "too_much", [Lines("a process that is killed", r"perl", 1)]),
    Case("opensnoop", "", "opens", [Lines("files that are not there", r"{pid}\s+python3\s+-1\s+2\s+/tmp/peer-open-\d", 3)]),
    Case("profile", "-p {pid} -f -F 99", "busy", [Total("samples of a busy second", r"^python3;.* (\d+)$", "about 99")]),
    Case("runqlat", "-m -p {busy}", "two_busy", [Bucket("waits for the CPU", "{waits}")]),
    Case("runqlen", "1", "two_busy", [Bucket("samples with one who waits", ">0", 1)]),
    Case("runqslower", "1000", "two_busy", [Lines("waits for the CPU", r"peer-busy\s+{busy}\s", ">0")]),
    Case("slabratetop", "-C 1", "many_opens", [Total("files that were opened", r"^filp\s+(\d+)\s", "1000 and more")]),
    Case("softirqs", "-C", "sleeps", [Total("timers", r"^(?i:timer)\s+(\d+)$", ">0")]),
    Case("solisten", "", "listens", [Lines("a socket that listens", r"python3\s.*\s7\s+{port}\s+127\.0\.0\.1|{port}.*\b7\b", 1)]),
    Case("sslsniff", "-p {pid} -g -n", "tls", [Lines("what is sent", "peer (request|answer)", "4")]),
    Case("stackcount", "-p {pid} -f do_nanosleep", "sleeps", [Total("calls", r"do_nanosleep (\d+)$", 5)]),
    Case("statsnoop", "", "stats", [Lines("stat(2), with the name", r"{pid}\s+python3\s.*/tmp/peer-stat-[01]", 2),
                                    Lines("newfstatat(2), with the name", r"{pid}\s+python3\s.*/tmp/peer-stat-[23]", 2)]),
    Case("syscount", "-p {pid}", "groups", [Total("getpgid", r"^getpgid\s+(\d+)$", 5)]),
    Case("tcpaccept", "", "tcp", [Lines("a connection", r"{pid}\s+python3\s.*\s{port}\b", 1)]),
    Case("tcpconnect", "", "tcp", [Lines("a connection", r"{pid}\s+python3\s.*\s{port}\b", 1)]),
    Case("tcpconnlat", "", "tcp", [Lines("a connection", r"{pid}\s+python3\s.*\s{port}\s", 1)]),
    Case("tcpdrop", "-4", "tcp_refused", [Lines("packets that are dropped", r"127\.0\.0\.1:?\s*1\s.*SYN", 3)]),
    Case("tcplife", "", "tcp", [Lines("both ends of a connection", r"python3?\s.*\b({port}|{cport})\b.*\b({port}|{cport})\b", 2),
                                Total("kB sent by the one", r"\s{cport}\s+\S+\s+{port}\s+(\d+)\s", 20)]),
    Case("tcpretrans", "", "tcp_lost", [Lines("a packet sent again", r"127\.0\.0\.1:?\s*{port}\s+SYN_SENT", 1)]),
    Case("tcprtt", "", "tcp", [Bucket("times of round trips", ">0")]),
    Case("tcpstates", "", "tcp", [Lines("states of a connection", r"\b{port}\b.*\b(ESTABLISHED|FIN_WAIT1|CLOSE_WAIT)\b", ">0")]),
    Case("tcptop", "-C 1", "tcp", [Total("KB sent by the one", r"{pid}\s+(?:b')?python3'?\s+\S+?(?::|\s+){cport}\s+.*\s\d+\s+(\d+)$", 20)]),
    Case("threadsnoop", "", "threads", [Lines("a thread that starts", r"{pid}\s+python3", 1)]),
    Case("tplist", "-v syscalls:sys_enter_openat", "nothing", [Lines("fields", r"^\s+\S.*\b(dfd|filename|flags|mode)\b", 4)], once=True),
    Case("trace", "'t:syscalls:sys_enter_getpgid \"of %d\", args->pid'", "groups", [Lines("getpgid(1)", r"{pid}\s.*of 1$", 5)]),
    Case("ttysnoop", "-C {tty}", "prompt", [Lines("what a shell answers", r"^peer 42\r?$", 1)]),
    Case("vfscount", "", "many_writes", [Total("writes", r"vfs_write\s+(\d+)", "400 and more")], "ext4"),
    Case("vfsstat", "-p {pid} 1", "many_writes", [Total("writes in a second", r"^[\d:]+\s+\d+\s+(\d+)\s", "about 400")], "ext4"),
    Case("wakeuptime", "-p {pid} -f", "waits", [Total("µs that it was waited for", r" (\d+)$", ">0")]),
    *of_file_system("xfs"),
]
