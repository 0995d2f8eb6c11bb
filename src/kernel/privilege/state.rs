// SPDX-License-Identifier: Apache-2.0
//! What is known of this process's rights, read at one time.

use super::capabilities::Capabilities;
use crate::kernel::pseudo_files::{self, PseudoFile};
use crate::kernel::sys::os;
use std::fmt;
use std::fs;
use std::path::Path;

/// The kernel's lockdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lockdown {
    /// None.
    None,
    /// User space may not change the running kernel.
    Integrity,
    /// Nor read its memory, which is most of what tracing does.
    Confidentiality,
}

impl Lockdown {
    /// Reads `none [integrity] confidentiality`.
    pub fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once('[')?;
        match rest.split_once(']')?.0 {
            "none" => Some(Lockdown::None),
            "integrity" => Some(Lockdown::Integrity),
            "confidentiality" => Some(Lockdown::Confidentiality),
            _ => None,
        }
    }
}

impl fmt::Display for Lockdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lockdown::None => "none",
            Lockdown::Integrity => "integrity",
            Lockdown::Confidentiality => "confidentiality",
        })
    }
}

/// What this process may do. `None` means that it could not be found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privilege {
    /// The effective user.
    pub uid: u32,
    /// The capabilities in effect.
    pub effective: Capabilities,
    /// The capabilities that no program started from here can go beyond.
    pub bounding: Capabilities,
    /// Whether this process is in the user namespace the system began with.
    pub in_first_user_namespace: Option<bool>,
    /// Whether a seccomp filter looks at its system calls.
    pub seccomp_filter: Option<bool>,
    /// Whether it and its children can gain no rights by executing a file.
    pub no_new_privileges: Option<bool>,
    /// The newest capability the kernel knows, by number.
    pub last_capability: Option<u32>,
    /// `kernel.unprivileged_bpf_disabled`
    pub unprivileged_bpf_disabled: Option<i32>,
    /// `kernel.perf_event_paranoid`
    pub perf_event_paranoid: Option<i32>,
    /// `kernel.kptr_restrict`
    pub kptr_restrict: Option<i32>,
    /// The lockdown; `None` also when the kernel is built without it.
    pub lockdown: Option<Lockdown>,
    /// The active security modules, as the kernel lists them.
    pub security_modules: Option<String>,
    /// The limit on locked memory in bytes; `None` when there is none.
    pub memlock_bytes: Option<u64>,
    /// What shows that this is a container, if something does.
    pub container: Option<String>,
}

impl Privilege {
    /// Reads all of it.
    pub fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let capabilities = |key| Capabilities::parse_status(&status, key).unwrap_or_default();
        let line = |file: PseudoFile| file.line().ok();
        Privilege {
            uid: os::effective_uid(),
            effective: capabilities("CapEff"),
            bounding: capabilities("CapBnd"),
            in_first_user_namespace: fs::read_to_string("/proc/self/uid_map").ok().map(|map| maps_all_users(&map)),
            seccomp_filter: status_number(&status, "Seccomp").map(|mode| mode == 2),
            no_new_privileges: status_number(&status, "NoNewPrivs").map(|flag| flag == 1),
            last_capability: sysctl("cap_last_cap").and_then(|number| u32::try_from(number).ok()),
            unprivileged_bpf_disabled: sysctl("unprivileged_bpf_disabled"),
            perf_event_paranoid: sysctl("perf_event_paranoid"),
            kptr_restrict: sysctl("kptr_restrict"),
            lockdown: line(pseudo_files::LOCKDOWN).and_then(|text| Lockdown::parse(&text)),
            security_modules: line(pseudo_files::SECURITY_MODULES),
            memlock_bytes: os::memlock_limit(),
            container: container(),
        }
    }
}

/// Whether a user namespace's map is that of the first one: each user is itself.
fn maps_all_users(map: &str) -> bool {
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

fn status_number(status: &str, key: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?.trim().parse().ok()
}

fn sysctl(name: &str) -> Option<i32> {
    fs::read_to_string(Path::new("/proc/sys/kernel").join(name)).ok()?.trim().parse().ok()
}

fn container() -> Option<String> {
    let marks = ["/.dockerenv", "/run/.containerenv"];
    let mark = marks.into_iter().find(|path| Path::new(path).exists());
    mark.map(|path| format!("{path} exists"))
        .or_else(|| std::env::var("container").ok().map(|kind| format!("the environment has container={kind}")))
}

/// The effective user of this process.
pub fn effective_uid() -> u32 {
    os::effective_uid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lockdown_modes() {
        assert_eq!(Lockdown::parse("none [integrity] confidentiality\n"), Some(Lockdown::Integrity));
        assert_eq!(Lockdown::parse("[none] integrity confidentiality"), Some(Lockdown::None));
        for bad in ["", "none", "[", "[]", "none [else]"] {
            assert_eq!(Lockdown::parse(bad), None, "{bad}");
        }
        assert!(Lockdown::Confidentiality > Lockdown::Integrity);
    }

    #[test]
    fn namespaces_and_status() {
        assert!(maps_all_users("         0          0 4294967295\n"));
        assert!(!maps_all_users("0 1000 1\n") && !maps_all_users(""));
        assert_eq!(status_number("NoNewPrivs:\t1\nSeccomp:\t2\n", "Seccomp"), Some(2));
        assert_eq!(status_number("Seccomp_filters:\t1\n", "Seccomp"), None);
    }

    #[test]
    fn this_process() {
        let privilege = Privilege::read();
        assert!(privilege.last_capability.is_some_and(|last| last >= 37), "{privilege:?}");
        assert!(privilege.in_first_user_namespace.is_some());
    }
}
