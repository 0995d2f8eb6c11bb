// SPDX-License-Identifier: Apache-2.0
//! What kind of program a function of the user's is.

use crate::compiler::ir::{Context, Value};

/// A family of program types whose context and pointers are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `struct pt_regs` of a kernel function: kprobe, kretprobe; other mechanisms can stand in.
    Kprobe,
    /// A kprobe on a system call's entry function, whose arguments lie in a second `struct pt_regs`.
    Syscall,
    /// `struct pt_regs` of a user function: uprobe, uretprobe, USDT.
    Uprobe,
    /// The kernel checks every pointer by BTF and lets programs follow it: fentry, fexit, LSM, iterators, `tp_btf`.
    Btf,
    /// `struct bpf_raw_tracepoint_args`.
    RawTracepoint,
    /// The same, and the first argument points to memory that the program may write.
    WritableTracepoint,
    /// The record of a tracepoint.
    Tracepoint,
    /// `struct bpf_perf_event_data`.
    PerfEvent,
    /// Packet pointers in the context: XDP, traffic control, sockets, cgroups.
    Packet,
}

/// A function that is loaded into the kernel as a program.
#[derive(Clone, Debug)]
pub struct Program<'c> {
    /// The name the user knows it by.
    pub name: String,
    /// The function.
    pub function: Value<'c>,
    /// Its kind.
    pub kind: Kind,
    /// Whether the user named the section, and so the one way it is attached.
    pub fixed: bool,
}

/// Section prefixes (libbpf's, see its `section_defs`) and what they mean. The longest match counts.
const SECTIONS: &[(&str, Kind)] = &[
    ("kprobe", Kind::Kprobe),
    ("kretprobe", Kind::Kprobe),
    ("ksyscall", Kind::Syscall),
    ("kretsyscall", Kind::Kprobe),
    ("uprobe", Kind::Uprobe),
    ("uretprobe", Kind::Uprobe),
    ("usdt", Kind::Uprobe),
    ("fentry", Kind::Btf),
    ("fexit", Kind::Btf),
    ("fsession", Kind::Btf),
    ("fmod_ret", Kind::Btf),
    ("lsm", Kind::Btf),
    ("lsm_cgroup", Kind::Btf),
    ("iter", Kind::Btf),
    ("tp_btf", Kind::Btf),
    ("struct_ops", Kind::Btf),
    ("freplace", Kind::Btf),
    ("syscall", Kind::Btf),
    ("raw_tp", Kind::RawTracepoint),
    ("raw_tracepoint", Kind::RawTracepoint),
    ("tp", Kind::Tracepoint),
    ("tracepoint", Kind::Tracepoint),
    ("perf_event", Kind::PerfEvent),
];

/// The kind that a section name implies. Every section that is not of a tracing kind is about packets or sockets.
pub fn kind_of_section(section: &str) -> Kind {
    let section = section.trim_start_matches('?');
    let whole = section.split(['/', '+']).next().unwrap_or(section);
    if matches!(whole, "raw_tp.w" | "raw_tracepoint.w") {
        return Kind::WritableTracepoint;
    }
    let word = whole.split('.').next().unwrap_or(whole);
    SECTIONS.iter().find(|(prefix, _)| *prefix == word).map_or(Kind::Packet, |(_, kind)| *kind)
}

/// The kind and section of a function that the user gave no section, from its name and the record its context is.
/// `None` for a function that is no program but a helper of others.
pub fn kind_of_function(name: &str, context: Option<&str>, params: usize) -> Option<(Kind, String)> {
    let named = |prefix: &str| name.strip_prefix(prefix);
    if let Some(event) = named("raw_tracepoint__") {
        return Some((Kind::RawTracepoint, format!("raw_tracepoint/{event}")));
    }
    if let Some((category, event)) = named("tracepoint__").and_then(|rest| rest.split_once("__")) {
        return Some((Kind::Tracepoint, format!("tracepoint/{category}/{event}")));
    }
    if named("syscall__").is_some() {
        return Some((Kind::Syscall, "kprobe".into()));
    }
    if let Some(section) = context.is_none().then(|| by_btf(name)).flatten() {
        return Some((Kind::Btf, section));
    }
    let kind = match context {
        Some("pt_regs") => (Kind::Kprobe, "kprobe"),
        Some("bpf_raw_tracepoint_args") => (Kind::RawTracepoint, "raw_tracepoint"),
        Some("bpf_perf_event_data") => (Kind::PerfEvent, "perf_event"),
        Some("xdp_md") => (Kind::Packet, "xdp"),
        Some("__sk_buff") => (Kind::Packet, "socket"),
        Some("bpf_sock_ops") => (Kind::Packet, "sockops"),
        Some("sk_msg_md") => (Kind::Packet, "sk_msg"),
        Some("bpf_sock_addr") => (Kind::Packet, "cgroup/connect4"),
        Some("bpf_sock") => (Kind::Packet, "cgroup/sock_create"),
        Some("bpf_sysctl") => (Kind::Packet, "cgroup/sysctl"),
        Some("bpf_cgroup_dev_ctx") => (Kind::Packet, "cgroup/dev"),
        Some("bpf_sockopt") => (Kind::Packet, "cgroup/getsockopt"),
        Some("bpf_sk_lookup") => (Kind::Packet, "sk_lookup"),
        Some("sk_reuseport_md") => (Kind::Packet, "sk_reuseport"),
        Some("bpf_nf_ctx") => (Kind::Packet, "netfilter"),
        Some(record) if record.starts_with("bpf_iter__") => {
            return Some((Kind::Btf, record.replacen("bpf_iter__", "iter/", 1)));
        }
        Some(record) if record.starts_with("tracepoint__") => (Kind::Tracepoint, "tracepoint"),
        Some(_) => return None,
        // `void *ctx`, or no parameter at all: nothing is asked of the context, so every mechanism can serve it.
        None if params <= 1 => (Kind::Kprobe, "kprobe"),
        None => return None,
    };
    Some((kind.0, kind.1.to_owned()))
}

/// The section that bcc's prefix of a function's name stands for, when the kernel attaches it by BTF.
fn by_btf(name: &str) -> Option<String> {
    let function = |word: &str, rest: &str| match rest.split_once("__")? {
        ("vmlinux", function) => Some(format!("{word}/{function}")),
        (module, function) => Some(format!("{word}/{module}:{function}")),
    };
    let after = |prefix: &str| name.strip_prefix(prefix).filter(|rest| !rest.is_empty());
    let entry = || after("kfunc__").and_then(|rest| function("fentry", rest));
    let exit = || after("kretfunc__").and_then(|rest| function("fexit", rest));
    let result = || after("kmod_ret__").map(|rest| format!("fmod_ret/{rest}"));
    entry().or_else(exit).or_else(result).or_else(|| after("lsm__").map(|rest| format!("lsm/{rest}")))
}

/// The programs of a module that is optimised, in order.
pub fn find<'c>(
    functions: &[Value<'c>],
    fixed: &dyn Fn(&str) -> bool,
    kinds: &dyn Fn(&str) -> Option<Kind>,
) -> Vec<Program<'c>> {
    functions
        .iter()
        .filter(|function| function.is_external() && !function.section().is_empty())
        .map(|&function| {
            let name = function.name();
            let kind = kinds(&name).unwrap_or_else(|| kind_of_section(&function.section()));
            Program { fixed: fixed(&name), kind, name, function }
        })
        .collect()
}

/// The record type that a function's first parameter points to.
pub fn context_record<'c>(function: Value<'c>, context: &'c Context) -> Option<String> {
    function.param_pointees(context).into_iter().next().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of section that libbpf 1.7 knows, some with a target behind it.
    const ALL: &[(Kind, &[&str])] = &[
        (Kind::Kprobe, &["kprobe/f", "kretprobe/f", "kprobe.multi/f*", "kretprobe.multi/f*", "kprobe.session/f*"]),
        (Kind::Kprobe, &["kprobe", "kretprobe", "kretsyscall/read"]),
        (Kind::Syscall, &["ksyscall/read", "ksyscall"]),
        (
            Kind::Uprobe,
            &["uprobe//bin/sh:main", "uprobe.s/f", "uretprobe", "uretprobe.s/f", "usdt/a:b:c", "usdt.s/a:b:c"],
        ),
        (Kind::Uprobe, &["uprobe.multi/a:b*", "uretprobe.multi/a:b*", "uprobe.session/a:b", "uprobe.multi.s/a:b*"]),
        (Kind::Uprobe, &["uretprobe.multi.s/a:b*", "uprobe.session.s/a:b"]),
        (Kind::Btf, &["fentry/f", "fentry.s/f", "fexit/f", "fexit.s/f", "fmod_ret/f", "fmod_ret.s/f", "fsession/f"]),
        (Kind::Btf, &["fsession.s/f", "tp_btf/e", "lsm/h", "lsm.s/h", "lsm_cgroup/h", "iter/task", "iter.s/task"]),
        (Kind::Btf, &["freplace/f", "struct_ops/f", "struct_ops.s/f", "struct_ops", "syscall"]),
        (Kind::RawTracepoint, &["raw_tp/e", "raw_tracepoint/e"]),
        (Kind::WritableTracepoint, &["raw_tp.w/e", "raw_tracepoint.w/e"]),
        (Kind::Tracepoint, &["tp/c/e", "tracepoint/c/e"]),
        (Kind::PerfEvent, &["perf_event"]),
        (Kind::Packet, &["socket", "sk_reuseport", "sk_reuseport/migrate", "tc", "tc/ingress", "tc/egress"]),
        (Kind::Packet, &["tcx/ingress", "tcx/egress", "classifier", "action", "netkit/primary", "netkit/peer"]),
        (Kind::Packet, &["xdp", "xdp.frags", "xdp/devmap", "xdp.frags/devmap", "xdp/cpumap", "xdp.frags/cpumap"]),
        (Kind::Packet, &["lwt_in", "lwt_out", "lwt_xmit", "lwt_seg6local", "sockops", "sk_skb", "sk_skb/verdict"]),
        (Kind::Packet, &["sk_skb/stream_parser", "sk_skb/stream_verdict", "sk_msg", "lirc_mode2", "flow_dissector"]),
        (Kind::Packet, &["cgroup_skb/ingress", "cgroup_skb/egress", "cgroup/skb", "cgroup/sock", "cgroup/sock_create"]),
        (
            Kind::Packet,
            &["cgroup/sock_release", "cgroup/post_bind4", "cgroup/post_bind6", "cgroup/bind4", "cgroup/bind6"],
        ),
        (Kind::Packet, &["cgroup/connect4", "cgroup/connect6", "cgroup/connect_unix", "cgroup/sendmsg4"]),
        (Kind::Packet, &["cgroup/sendmsg6", "cgroup/sendmsg_unix", "cgroup/recvmsg4", "cgroup/recvmsg6"]),
        (
            Kind::Packet,
            &["cgroup/recvmsg_unix", "cgroup/getpeername4", "cgroup/getpeername6", "cgroup/getpeername_unix"],
        ),
        (Kind::Packet, &["cgroup/getsockname4", "cgroup/getsockname6", "cgroup/getsockname_unix", "cgroup/sysctl"]),
        (Kind::Packet, &["cgroup/getsockopt", "cgroup/setsockopt", "cgroup/dev", "sk_lookup", "netfilter"]),
    ];

    #[test]
    fn every_section_of_libbpf_has_its_kind() {
        for (kind, section) in ALL.iter().flat_map(|(kind, sections)| sections.iter().map(move |one| (*kind, *one))) {
            assert_eq!(kind_of_section(section), kind, "{section}");
            assert_eq!(kind_of_section(&format!("?{section}")), kind, "?{section}");
        }
    }

    #[test]
    fn sections_tell_the_kind() {
        assert_eq!(kind_of_section("kprobe/do_nanosleep"), Kind::Kprobe);
        assert_eq!(kind_of_section("uprobe.multi//bin/bash:readline"), Kind::Uprobe);
        assert_eq!(kind_of_section("?tp/sched/sched_switch"), Kind::Tracepoint);
        assert_eq!(kind_of_section("fentry.s/vfs_read"), Kind::Btf);
        assert_eq!(kind_of_section("xdp"), Kind::Packet);
    }

    #[test]
    fn names_and_contexts_tell_the_kind() {
        let kind = kind_of_function;
        assert_eq!(kind("hello", Some("pt_regs"), 3), Some((Kind::Kprobe, "kprobe".into())));
        assert_eq!(kind("hello", None, 1), Some((Kind::Kprobe, "kprobe".into())));
        assert_eq!(kind("syscall__execve", Some("pt_regs"), 2), Some((Kind::Syscall, "kprobe".into())));
        assert_eq!(
            kind("tracepoint__syscalls__sys_enter_openat", Some("tracepoint__syscalls__sys_enter_openat"), 1),
            Some((Kind::Tracepoint, "tracepoint/syscalls/sys_enter_openat".into()))
        );
        assert_eq!(kind("dump", Some("bpf_iter__task"), 1), Some((Kind::Btf, "iter/task".into())));
        let by_name = |name| kind(name, None, 1).map(|(_, section)| section);
        assert_eq!(by_name("kfunc__vmlinux__vfs_read").as_deref(), Some("fentry/vfs_read"));
        assert_eq!(by_name("kretfunc__ext4__ext4_open").as_deref(), Some("fexit/ext4:ext4_open"));
        assert_eq!(by_name("kmod_ret__security_file_open").as_deref(), Some("fmod_ret/security_file_open"));
        assert_eq!(by_name("lsm__file_open").as_deref(), Some("lsm/file_open"));
        assert_eq!(kind("helper", Some("sock"), 1), None);
        assert_eq!(kind("helper", None, 2), None);
    }
}
