// SPDX-License-Identifier: Apache-2.0
//! Rows about what this process may do.

use super::facts::Facts;
use super::row::Row;
use crate::error::Error;
use crate::kernel::features::Feature;
use crate::kernel::privilege::{Capability, Lockdown, Privilege};

/// What full use of bpflua asks for, besides loading programs.
const WANTED: [Capability; 8] = [
    Capability::Bpf,
    Capability::Perfmon,
    Capability::SysAdmin,
    Capability::SysPtrace,
    Capability::DacReadSearch,
    Capability::NetAdmin,
    Capability::Syslog,
    Capability::SysResource,
];

pub(super) fn rows(facts: &Facts<'_>) -> Vec<Row> {
    let privilege = facts.privilege;
    vec![
        capabilities(facts),
        unprivileged(privilege),
        lockdown(privilege),
        security_modules(privilege),
        paranoia(privilege),
        memlock(facts),
    ]
}

fn capabilities(facts: &Facts<'_>) -> Row {
    const TOPIC: &str = "capabilities";
    let privilege = facts.privilege;
    if !privilege.effective.may_trace() || privilege.in_first_user_namespace == Some(false) {
        // The same words as in the error of a refused load, so that both say the same.
        let error = privilege.explain(Error::machine("", ""), || false);
        let report = error.report();
        let evidence: Vec<&str> = report.lines().filter_map(|line| line.strip_prefix("  ")).collect();
        let row = Row::missing(TOPIC, evidence.join("; "));
        return error.hints().iter().fold(row, |row, hint| row.advise(hint.as_str()));
    }
    let lacking: Vec<&str> = privilege.effective.lacking(&WANTED).into_iter().map(Capability::name).collect();
    let found = format!("uid {}, may load tracing programs", privilege.uid);
    // CAP_SYS_RESOURCE only raises a limit, and the newer ones are part of CAP_SYS_ADMIN.
    match lacking.as_slice() {
        [] => Row::good(TOPIC, found),
        lacking => Row::good(TOPIC, format!("{found}; lacks {}", lacking.join(", "))),
    }
}

fn unprivileged(privilege: &Privilege) -> Row {
    const TOPIC: &str = "BPF for all users";
    match privilege.unprivileged_bpf_disabled {
        Some(0) => Row::good(TOPIC, "kernel.unprivileged_bpf_disabled = 0; tracing takes capabilities all the same"),
        Some(value) => Row::good(TOPIC, format!("off (kernel.unprivileged_bpf_disabled = {value}), as is usual")),
        None => Row::good(TOPIC, "the kernel has no switch for it"),
    }
}

fn lockdown(privilege: &Privilege) -> Row {
    const TOPIC: &str = "lockdown";
    match privilege.lockdown {
        Some(Lockdown::Confidentiality) => {
            Row::missing(TOPIC, "confidentiality: programs may not read the kernel's memory")
        }
        Some(Lockdown::Integrity) => Row::limited(TOPIC, "integrity: programs may not write to other programs' memory"),
        Some(Lockdown::None) => Row::good(TOPIC, "none"),
        None if privilege.effective.has(Capability::SysAdmin) => Row::good(TOPIC, "the kernel shows none"),
        None => Row::good(TOPIC, "not visible to this user"),
    }
}

fn security_modules(privilege: &Privilege) -> Row {
    match &privilege.security_modules {
        Some(modules) => Row::good("security modules", modules.as_str()),
        None => Row::good("security modules", "not visible"),
    }
}

fn paranoia(privilege: &Privilege) -> Row {
    const TOPIC: &str = "perf events";
    let exempt = privilege.effective.has(Capability::Perfmon) || privilege.effective.has(Capability::SysAdmin);
    match (privilege.perf_event_paranoid, exempt) {
        (None, _) => Row::missing(TOPIC, "the kernel has no perf events"),
        (Some(level), true) => {
            Row::good(TOPIC, format!("kernel.perf_event_paranoid = {level} does not bind this user"))
        }
        (Some(level @ ..=-1), false) => Row::good(TOPIC, format!("open to all (kernel.perf_event_paranoid = {level})")),
        (Some(level), false) => Row::limited(TOPIC, format!("kernel.perf_event_paranoid = {level} binds this user")),
    }
}

fn memlock(facts: &Facts<'_>) -> Row {
    const TOPIC: &str = "locked memory";
    let charged = !facts.works(Feature::MemcgAccounting);
    match facts.privilege.memlock_bytes {
        None => Row::good(TOPIC, "no limit"),
        Some(limit) if !charged => Row::good(TOPIC, format!("{limit} bytes; BPF memory does not count on this kernel")),
        Some(limit) if facts.privilege.effective.has(Capability::SysResource) => {
            Row::good(TOPIC, format!("{limit} bytes; BPF memory counts, and bpflua may raise it"))
        }
        Some(limit) if facts.privilege.effective.may_trace() => {
            Row::limited(TOPIC, format!("{limit} bytes; BPF memory counts on this kernel"))
                .advise("raising it takes CAP_SYS_RESOURCE, or `ulimit -l unlimited` by who started this shell")
        }
        Some(limit) => Row::good(TOPIC, format!("{limit} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::Verdict;
    use super::*;
    use crate::kernel::features::Support;
    use crate::kernel::privilege::Capabilities;

    fn row(privilege: &Privilege, make: fn(&Facts<'_>) -> Row) -> Row {
        let support = |_| Support::Supported;
        make(&Facts { support: &support, unset: &|_| None, privilege })
    }

    fn root() -> Privilege {
        // All but CAP_SYS_RESOURCE.
        let effective = Capabilities::parse_status("CapEff:\t000001fffeffffff", "CapEff").unwrap();
        Privilege { effective, bounding: effective, in_first_user_namespace: Some(true), ..Privilege::default() }
    }

    #[test]
    fn root_and_user() {
        let found = row(&root(), capabilities);
        assert_eq!(
            (found.verdict, found.found.as_str()),
            (Verdict::Good, "uid 0, may load tracing programs; lacks CAP_SYS_RESOURCE")
        );
        let user = Privilege { uid: 1000, last_capability: Some(40), ..Privilege::default() };
        let found = row(&user, capabilities);
        assert_eq!(found.verdict, Verdict::Missing);
        assert!(found.found.contains("neither CAP_BPF nor CAP_PERFMON") && found.advice.len() == 1, "{found:?}");
        let inside = Privilege { in_first_user_namespace: Some(false), ..root() };
        assert!(row(&inside, capabilities).found.contains("user namespace"));
    }

    #[test]
    fn lockdown_binds_by_degrees() {
        let with = |lockdown| row(&Privilege { lockdown, ..root() }, |facts| super::lockdown(facts.privilege)).verdict;
        assert_eq!(with(Some(Lockdown::Confidentiality)), Verdict::Missing);
        assert_eq!(with(Some(Lockdown::Integrity)), Verdict::Limited);
        assert_eq!(with(None), Verdict::Good);
    }
}
