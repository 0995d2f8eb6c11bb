// SPDX-License-Identifier: Apache-2.0
//! Why the kernel refuses with EPERM.

use super::capabilities::Capability;
use super::state::{Lockdown, Privilege};
use crate::error::Error;
use crate::kernel::features::{Feature, supports};
use std::env;

/// What a file capability must hold for an ordinary user to trace.
const FILE_CAPABILITIES: &str = "cap_bpf,cap_perfmon,cap_dac_read_search=ep";

/// The error for a bpf(2) call that gave EPERM; `what` is the first half of its headline (`cannot load BPF programs`).
/// Says what was found to be in the way.
pub fn cannot_load_bpf(what: &str) -> Error {
    let privilege = Privilege::read();
    let charged_to_memlock = || !supports(Feature::MemcgAccounting).is_supported();
    privilege.explain(Error::machine(what, "permission denied").with_errno(libc::EPERM), charged_to_memlock)
}

impl Privilege {
    /// Adds to an error with EPERM from bpf(2) the evidence and hints that are true of this process, the likeliest cause
    /// first and only that one. `charged_to_memlock` says whether BPF memory counts as locked memory on this kernel.
    pub fn explain(&self, error: Error, charged_to_memlock: impl FnOnce() -> bool) -> Error {
        if !self.effective.may_trace() {
            return self.explain_capabilities(error);
        }
        if self.in_first_user_namespace == Some(false) {
            return error
                .with_evidence(format!("uid {} has its capabilities in a user namespace of its own only", self.uid))
                .with_note("the kernel asks for them in the user namespace the system began with");
        }
        if self.lockdown == Some(Lockdown::Confidentiality) {
            return error
                .with_evidence("lockdown = confidentiality: programs may not read the kernel's memory")
                .with_note("lockdown is chosen when the kernel starts and cannot be taken back while it runs");
        }
        if let Some(limit) = self.memlock_bytes.filter(|_| charged_to_memlock()) {
            return self.explain_memlock(error, limit);
        }
        self.explain_the_rest(error)
    }

    fn explain_capabilities(&self, error: Error) -> Error {
        let lacking = |wanted: &[Capability]| -> Vec<&str> {
            self.effective.lacking(wanted).into_iter().map(Capability::name).collect()
        };
        let knows_cap_bpf = self.last_capability.is_none_or(|last| last >= Capability::Bpf as u32);
        let wanted: &[Capability] =
            if knows_cap_bpf { &[Capability::Bpf, Capability::Perfmon] } else { &[Capability::SysAdmin] };
        let mut evidence = match lacking(wanted).as_slice() {
            [one] => format!("uid {} lacks {one}", self.uid),
            [one, two] => format!("uid {} has neither {one} nor {two}", self.uid),
            _ => format!("uid {}", self.uid),
        };
        if let Some(disabled) = self.unprivileged_bpf_disabled {
            evidence += &format!("; kernel.unprivileged_bpf_disabled = {disabled}");
        }
        let error = error.with_evidence(evidence);
        if self.uid != 0 {
            return error.with_hint(self.how_to_gain(knows_cap_bpf));
        }
        match (&self.container, wanted.iter().all(|&capability| self.bounding.has(capability))) {
            (Some(mark), _) => error.with_evidence(format!("root, but in a container: {mark}")),
            (None, false) => error.with_evidence("root, but outside its bounding set of capabilities"),
            (None, true) => error.with_evidence("root, but started with fewer capabilities"),
        }
    }

    /// One line on how an ordinary user gets what is needed, with what this machine has.
    fn how_to_gain(&self, knows_cap_bpf: bool) -> String {
        let can_gain = self.no_new_privileges != Some(true);
        let with_sudo = can_gain && is_installed("sudo");
        let (run, once) = match with_sudo {
            true => ("run with sudo", "or once: sudo setcap"),
            false => ("run as root", "or have root run once: setcap"),
        };
        match env::current_exe().ok().filter(|_| can_gain && knows_cap_bpf && is_installed("setcap")) {
            Some(path) => format!("{run}, {once} {FILE_CAPABILITIES} {}", path.display()),
            None => run.to_owned(),
        }
    }

    fn explain_memlock(&self, error: Error, limit: u64) -> Error {
        let error = error.with_evidence(format!(
            "RLIMIT_MEMLOCK = {limit} bytes; on this kernel BPF memory counts as locked memory"
        ));
        match self.effective.has(Capability::SysResource) {
            true => error.with_hint("run `ulimit -l unlimited` first"),
            false => error.with_evidence(format!("uid {} lacks CAP_SYS_RESOURCE, which raising it takes", self.uid)),
        }
    }

    /// No known cause: what is left that may refuse, without a claim.
    fn explain_the_rest(&self, error: Error) -> Error {
        let mut error = error.with_evidence(format!("uid {} has the capabilities that this takes", self.uid));
        if let Some(lockdown) = self.lockdown {
            error = error.with_evidence(format!("lockdown = {lockdown}, which does not forbid this"));
        }
        if self.seccomp_filter == Some(true) {
            error = error.with_evidence("a seccomp filter looks at this process's system calls");
        }
        if let Some(mark) = &self.container {
            error = error.with_evidence(format!("in a container: {mark}"));
        }
        if let Some(modules) = &self.security_modules {
            error = error.with_evidence(format!("active security modules: {modules}"));
        }
        error
    }
}

/// Whether a command of this name is on the search path.
fn is_installed(command: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    // setcap lives where an ordinary user's path does not always lead.
    let system = ["/sbin", "/usr/sbin"].map(Into::into);
    env::split_paths(&path).chain(system).any(|folder| folder.join(command).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::privilege::Capabilities;

    const FULL: &str = "CapEff:\t000001ffffffffff\n";

    fn full() -> Privilege {
        let effective = Capabilities::parse_status(FULL, "CapEff").unwrap();
        let (in_first_user_namespace, last_capability) = (Some(true), Some(40));
        Privilege { effective, bounding: effective, in_first_user_namespace, last_capability, ..Privilege::default() }
    }

    fn report(privilege: &Privilege, charged: bool) -> String {
        privilege.explain(Error::machine("cannot load BPF programs", "permission denied"), || charged).report()
    }

    #[test]
    fn an_ordinary_user() {
        let privilege = Privilege {
            uid: 1000,
            unprivileged_bpf_disabled: Some(2),
            last_capability: Some(40),
            ..Privilege::default()
        };
        let text = report(&privilege, false);
        assert!(
            text.contains("  uid 1000 has neither CAP_BPF nor CAP_PERFMON; kernel.unprivileged_bpf_disabled = 2\n")
        );
        assert!(text.contains("hint: run "), "{text}");
        let old = Privilege { uid: 1000, last_capability: Some(37), ..Privilege::default() };
        let text = report(&old, false);
        assert!(text.contains("uid 1000 lacks CAP_SYS_ADMIN") && !text.contains("setcap"), "{text}");
    }

    #[test]
    fn root_is_never_told_to_be_root() {
        let in_namespace = Privilege { in_first_user_namespace: Some(false), ..full() };
        let locked = Privilege { lockdown: Some(Lockdown::Confidentiality), ..full() };
        let limited = Privilege { memlock_bytes: Some(65536), ..full() };
        let bare = Privilege { bounding: Capabilities::default(), ..Privilege::default() };
        let contained = Privilege { container: Some("/.dockerenv exists".to_owned()), ..Privilege::default() };
        let filtered = Privilege { seccomp_filter: Some(true), ..full() };
        for privilege in [in_namespace, locked, limited, bare, contained, filtered, full()] {
            let text = report(&privilege, true);
            assert!(!text.contains("sudo") && !text.contains("as root"), "{text}");
        }
    }

    #[test]
    fn each_cause_is_named() {
        let text = report(&Privilege { in_first_user_namespace: Some(false), ..full() }, true);
        assert!(text.contains("user namespace of its own"), "{text}");
        let text = report(&Privilege { lockdown: Some(Lockdown::Confidentiality), ..full() }, true);
        assert!(text.contains("lockdown = confidentiality"), "{text}");
        let limited = Privilege { memlock_bytes: Some(65536), ..full() };
        assert!(report(&limited, true).contains("hint: run `ulimit -l unlimited`"));
        assert!(!report(&limited, false).contains("MEMLOCK"));
        let text = report(&Privilege { lockdown: Some(Lockdown::Integrity), ..full() }, false);
        assert!(text.contains("lockdown = integrity, which does not forbid this"), "{text}");
        assert!(!text.contains("hint:"), "{text}");
    }
}
