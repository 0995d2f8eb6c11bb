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
    ("fmod_ret", Kind::Btf),
    ("lsm", Kind::Btf),
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
    let word = section.split(['/', '.', '+']).next().unwrap_or(section);
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
    if named("syscall__").is_some() || named("kprobe____x64_sys_").is_some() {
        return Some((Kind::Syscall, "kprobe".into()));
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
        Some(record) if record.starts_with("tracepoint__") => (Kind::Tracepoint, "tracepoint"),
        Some(_) => return None,
        // `void *ctx`, or no parameter at all: nothing is asked of the context, so every mechanism can serve it.
        None if params <= 1 => (Kind::Kprobe, "kprobe"),
        None => return None,
    };
    Some((kind.0, kind.1.to_owned()))
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
        assert_eq!(kind("helper", Some("sock"), 1), None);
        assert_eq!(kind("helper", None, 2), None);
    }
}
