// SPDX-License-Identifier: Apache-2.0
//! What the programs of an object may do, when that is limited: a pack is held to what it declares.

use super::probe::ProbeKind;
use super::sys::prog::Insn;
use crate::error::{Error, Result};

/// Helpers that change what others do or see.
const CHANGING: [(i32, &str); 5] = [
    (libbpf_sys::BPF_FUNC_probe_write_user as i32, "bpf_probe_write_user"),
    (libbpf_sys::BPF_FUNC_override_return as i32, "bpf_override_return"),
    (libbpf_sys::BPF_FUNC_send_signal as i32, "bpf_send_signal"),
    (libbpf_sys::BPF_FUNC_send_signal_thread as i32, "bpf_send_signal_thread"),
    (libbpf_sys::BPF_FUNC_sys_bpf as i32, "bpf_sys_bpf"),
];

/// What was declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Who is held to it, as errors say it: "pack `opens`".
    pub who: String,
    /// Patterns of what may be attached to: `tracepoint:sched:*`.
    pub attach: Vec<String>,
    /// Those of [`changing_helpers`] that may be called.
    pub helpers: Vec<String>,
}

/// The names of the helpers that have to be declared.
pub fn changing_helpers() -> impl Iterator<Item = &'static str> {
    CHANGING.iter().map(|(_, name)| *name)
}

impl Grants {
    /// Fails when attaching there was not declared.
    pub(super) fn check_probe(&self, kind: ProbeKind, target: &str, function: &str) -> Result<()> {
        // Which process is watched is the user's choice, and no part of what is declared.
        let place = target.split(" in process ").next().unwrap_or(target);
        let probe = format!("{}:{place}", kind.name());
        if self.attach.iter().any(|pattern| matches(pattern, &probe)) {
            return Ok(());
        }
        let error = Error::script(
            format!("cannot attach `{function}` to {} `{target}`", kind.name()),
            format!("{} does not declare it", self.who),
        );
        let declared = match self.attach.join(", ") {
            none if none.is_empty() => "it declares that it attaches to nothing".to_owned(),
            list => format!("it declares {list}"),
        };
        Err(error
            .with_evidence(declared)
            .with_hint(format!("its author adds `{probe}` to `attach` under `[requires]`")))
    }

    /// Fails when a program calls a helper that has to be declared and was not.
    pub(super) fn check_helpers(&self, function: &str, insns: &[Insn]) -> Result<()> {
        let called = insns.iter().filter_map(|insn| insn.called_helper());
        let named = called.filter_map(|id| CHANGING.iter().find(|(known, _)| *known == id));
        match named.map(|(_, name)| *name).find(|name| !self.helpers.iter().any(|granted| granted == name)) {
            None => Ok(()),
            Some(name) => Err(Error::script(
                format!("cannot load `{function}`"),
                format!("it calls `{name}`, and {} does not declare it", self.who),
            )
            .with_hint(format!("its author adds \"{name}\" to `helpers` under `[requires]`"))),
        }
    }
}

/// Whether a text is of a pattern, in which `*` stands for any characters.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_have_stars() {
        assert!(matches("tracepoint:sched:*", "tracepoint:sched:sched_switch"));
        assert!(matches("kprobe:*sys_execve", "kprobe:__x64_sys_execve"));
        assert!(matches("*", "xdp:lo") && matches("a*b*c", "aXbYc") && matches("a*", "a"));
        assert!(!matches("tracepoint:sched:*", "raw_tracepoint:sched:x") && !matches("a*b*c", "aXc"));
        assert!(!matches("kprobe:vfs_read", "kprobe:vfs_readv") && !matches("ab*bc", "abc"));
    }

    #[test]
    fn what_is_not_declared_is_refused() {
        let grants =
            Grants { who: "pack `opens`".into(), attach: vec!["tracepoint:syscalls:*".into()], helpers: vec![] };
        assert!(grants.check_probe(ProbeKind::Tracepoint, "syscalls:sys_enter_openat", "f").is_ok());
        let of_libc = Grants { attach: vec!["uprobe:c:open".into()], ..grants.clone() };
        assert!(of_libc.check_probe(ProbeKind::Uprobe, "c:open in process 7", "f").is_ok());
        let error = grants.check_probe(ProbeKind::Xdp, "lo", "f").unwrap_err();
        assert_eq!(error.to_string(), "cannot attach `f` to xdp `lo`: pack `opens` does not declare it");
    }
}
