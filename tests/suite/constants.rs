// SPDX-License-Identifier: Apache-2.0
//! The dialect's constants against the truth: user space's headers, the kernel's real headers, the kernel's BTF.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use bpflua::kernel::btf::Btf;

use super::harness::{Need, bpflua, missing, root_folder, scratch, skip, vm_series};
use super::headers::headers;

/// User space's headers, as far as they can be included together.
const USER_HEADERS: &str = "errno.h signal.h fcntl.h sys/stat.h sys/mman.h sys/mount.h sched.h sys/wait.h \
    sys/resource.h sys/socket.h netinet/in.h netinet/tcp.h netinet/udp.h sys/epoll.h poll.h sys/eventfd.h sys/timerfd.h \
    sys/inotify.h sys/fanotify.h sys/prctl.h sys/shm.h sys/sem.h sys/msg.h linux/seccomp.h linux/capability.h \
    linux/futex.h linux/magic.h linux/major.h linux/limits.h linux/if_ether.h linux/if_arp.h linux/if_packet.h \
    linux/icmp.h linux/icmpv6.h linux/netfilter.h linux/netlink.h linux/rtnetlink.h linux/pkt_cls.h linux/if_link.h \
    linux/sockios.h linux/fs.h linux/reboot.h linux/memfd.h linux/random.h linux/io_uring.h linux/keyctl.h \
    linux/perf_event.h linux/bpf.h linux/vm_sockets.h linux/tls.h linux/neighbour.h linux/loop.h \
    linux/openat2.h linux/kdev_t.h time.h limits.h sys/un.h dirent.h";

/// The kernel's own headers, whose constants are not user space's.
const KERNEL_HEADERS: &str = "linux/kernel.h linux/module.h linux/sched.h linux/sched/signal.h linux/sched/prio.h \
    linux/fs.h linux/mm.h linux/gfp.h linux/slab.h linux/blkdev.h linux/blk-mq.h linux/bio.h linux/skbuff.h \
    linux/netdevice.h net/sock.h net/tcp.h net/ip.h net/ipv6.h net/route.h net/dst.h linux/dcache.h linux/namei.h \
    linux/mount.h linux/interrupt.h linux/preempt.h linux/time64.h linux/kallsyms.h linux/pipe_fs_i.h linux/swap.h \
    linux/oom.h linux/mempolicy.h linux/sunrpc/sched.h scsi/scsi_proto.h linux/errno.h linux/eventpoll.h linux/poll.h \
    linux/ptrace.h linux/mman.h linux/fcntl.h linux/posix_acl.h linux/kdev_t.h linux/hugetlb.h linux/in6.h \
    linux/icmp.h linux/icmpv6.h linux/if_arp.h linux/if_vlan.h linux/netfilter.h linux/rtnetlink.h net/neighbour.h \
    net/addrconf.h linux/ioprio.h linux/sizes.h net/xdp_sock.h linux/binfmts.h linux/signal.h";

/// Where the C library means something else by a name than the kernel does, whose meaning the dialect has.
const OF_THE_C_LIBRARY: [&str; 9] = [
    "F_GETLK64",
    "F_SETLK64",
    "F_SETLKW64",
    "INET6_ADDRSTRLEN",
    "O_LARGEFILE",
    "SIGRTMIN",
    "AF_MAX",
    "_NSIG",
    "__O_TMPFILE",
];

fn header_texts() -> Vec<(String, String)> {
    let folder = root_folder().join("bpf-include/bpflua");
    let files = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let texts = files.map(|path| (name(&path), std::fs::read_to_string(path).unwrap()));
    texts.filter(|(name, _)| name.starts_with("constants") && name != "constants.h").collect()
}

/// The names and bodies of the macros that are constants: those in small letters are names of members, and one asks the
/// kernel.
fn macros(text: &str) -> impl Iterator<Item = (&str, &str)> {
    const NOT_CONSTANT: &str = "PAGE_OFFSET";
    let is_constant = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("#define "));
    let pairs = lines.filter_map(|line| line.split_once(' '));
    pairs.filter(move |(name, _)| is_constant(name) && *name != NOT_CONSTANT)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Compiles and runs a C program that prints each of these names that is defined after `head`, with its value.
fn values(label: &str, head: &str, names: &BTreeSet<String>, flags: &[&str]) -> BTreeMap<String, i64> {
    let folder = scratch(&format!("constants_{label}"));
    let mut text = format!("#include <stdio.h>\n{head}\nint main(void)\n{{\n");
    for name in names {
        let _ = writeln!(text, "#ifdef {name}\n\tprintf(\"{name} %lld\\n\", (long long)({name}));\n#endif");
    }
    text += "\treturn 0;\n}\n";
    let (source, program) = (folder.join("values.c"), folder.join("values"));
    std::fs::write(&source, text).unwrap();
    let output = Command::new("gcc").args(["-w", "-o"]).arg(&program).args(flags).arg(&source).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = Command::new(program).output().unwrap().stdout;
    let lines = String::from_utf8(printed).unwrap();
    lines.lines().filter_map(|line| line.split_once(' ')).map(|(n, v)| (n.to_owned(), v.parse().unwrap())).collect()
}

/// What the dialect says, on a kernel without BTF.
fn of_the_dialect(label: &str) -> BTreeMap<String, i64> {
    let texts = header_texts();
    let mut bodies: BTreeMap<&str, &str> = texts.iter().flat_map(|(_, text)| macros(text)).collect();
    // Without BTF there are no enumerators: what is made of one has no value then.
    while let Some(name) = bodies
        .iter()
        .find(|(_, body)| !words(body).all(|word| !word.starts_with('_') || bodies.contains_key(word)))
        .map(|(name, _)| *name)
    {
        bodies.remove(name);
    }
    let names: BTreeSet<String> =
        bodies.keys().filter(|name| !name.contains("__BPFLUA_")).map(|&name| name.to_owned()).collect();
    let include = format!("-I{}", root_folder().join("bpf-include").display());
    // The C library's own names go before the dialect's come.
    let mut head: String = names.iter().map(|name| format!("#undef {name}\n")).collect();
    head += "#define BPFLUA_TYPES_H\n#include <stdint.h>\n#include <stddef.h>\n\
        typedef uint8_t u8, __u8; typedef int8_t s8, __s8; typedef uint16_t u16, __u16; typedef int16_t s16, __s16;\n\
        typedef uint32_t u32, __u32; typedef int32_t s32, __s32; typedef uint64_t u64, __u64; typedef int64_t s64, __s64;\n\
        #include \"bpflua/constants.h\"\n";
    values(label, &head, &names, &[&include, "-D__TARGET_ARCH_x86"])
}

fn includes(headers: &str) -> String {
    headers.split_whitespace().map(|header| format!("#include <{header}>\n")).collect()
}

/// Two numbers are the same constant: a set of flags may be signed in one place and not in the other.
fn same(a: i64, b: i64) -> bool {
    a == b || (a as u32 == b as u32 && i32::try_from(a.min(b)).is_ok() && a.max(b) <= i64::from(u32::MAX))
}

#[test]
fn constants_are_those_of_user_spaces_headers() {
    if missing(&[Need::Tool("gcc"), Need::X86]) {
        return;
    }
    let dialect = of_the_dialect("of_user");
    let user = values(
        "user",
        &format!("#define _GNU_SOURCE\n{}", includes(USER_HEADERS)),
        &dialect.keys().cloned().collect(),
        &[],
    );
    let known: Vec<_> = dialect.iter().filter_map(|(name, value)| Some((name, *value, *user.get(name)?))).collect();
    let wrong: Vec<_> = known
        .iter()
        .filter(|(name, ours, theirs)| !OF_THE_C_LIBRARY.contains(&name.as_str()) && !same(*ours, *theirs))
        .collect();
    assert!(wrong.is_empty(), "constant, in bpf-include, in the system's headers: {wrong:?}");
    assert!(known.len() > 2000, "only {} constants could be compared", known.len());
}

/// A text that fails to compile where a constant of the kernel's headers is another than the dialect's.
fn assertions(dialect: &BTreeMap<String, i64>, left_out: &BTreeSet<String>) -> String {
    let mut text = includes(KERNEL_HEADERS);
    for (name, value) in dialect.iter().filter(|(name, _)| !left_out.contains(*name)) {
        let _ = writeln!(
            text,
            "#ifdef {name}\n_Static_assert((unsigned)__builtin_choose_expr(__builtin_constant_p((long long)({name})), \
             (long long)({name}), {value}LL) == (unsigned){value}LL, \"{name}\");\n#endif"
        );
    }
    text
}

#[test]
fn constants_are_those_of_the_kernels_headers() {
    if vm_series().is_some() {
        return skip("not in a VM");
    }
    if missing(&[Need::Tool("gcc"), Need::X86]) {
        return;
    }
    let dialect = of_the_dialect("of_kernel");
    for (series, older) in [("6.1", true), ("6.12", false)] {
        let folder = match headers(series) {
            Ok(folder) => folder,
            Err(why) => return skip(&why),
        };
        // What only stands in for a newer kernel's enumerators is right on the older one.
        let mut left_out = if older { BTreeSet::new() } else { resting_on_stand_ins() };
        // What BTF gives: `tests/lua/root_constants.lua`.
        left_out.insert("DNAME_INLINE_LEN".to_owned());
        let file = scratch(&format!("kernel_constants_{series}")).join("constants.c");
        std::fs::write(&file, assertions(&dialect, &left_out)).unwrap();
        bpflua(["check", "--no-cache", "--kernel-headers", folder.to_str().unwrap()]).arg(&file).run().expect(0);
    }
}

/// The names in `constants_older.h`, and those whose bodies have one of them.
fn resting_on_stand_ins() -> BTreeSet<String> {
    let texts = header_texts();
    let older = texts.iter().filter(|(name, _)| name == "constants_older.h");
    let mut names: BTreeSet<String> =
        older.flat_map(|(_, text)| macros(text)).map(|(name, _)| name.to_owned()).collect();
    loop {
        let rests = |body: &str| words(body).any(|word| names.contains(word));
        let all = texts.iter().flat_map(|(_, text)| macros(text));
        let more: Vec<String> =
            all.filter(|(name, body)| !names.contains(*name) && rests(body)).map(|(name, _)| name.to_owned()).collect();
        if more.is_empty() {
            return names;
        }
        names.extend(more);
    }
}

#[test]
fn root_constants_are_the_kernels_enumerators() {
    if missing(&[Need::Btf, Need::Tool("gcc"), Need::X86]) {
        return;
    }
    let btf = Btf::kernel().unwrap();
    let stand_ins = resting_on_stand_ins();
    let dialect = of_the_dialect("of_btf");
    let ours = dialect.iter().filter(|(name, _)| !stand_ins.contains(*name));
    let both = ours.filter_map(|(name, value)| Some((name, *value, btf.enumerator(name)?.1)));
    let wrong: Vec<_> = both.filter(|(_, ours, theirs)| !same(*ours, *theirs)).collect();
    assert!(wrong.is_empty(), "constant, in bpf-include, in this kernel's BTF: {wrong:?}");
}
