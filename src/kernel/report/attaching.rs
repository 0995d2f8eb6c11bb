// SPDX-License-Identifier: Apache-2.0
//! Rows about what programs can be attached to.

use super::facts::Facts;
use super::row::Row;
use crate::kernel::features::{Feature, Support};
use crate::kernel::tracefs::Tracefs;
use std::path::Path;

const SEMAPHORE_FORMAT: &str = "/sys/bus/event_source/devices/uprobe/format/ref_ctr_offset";

pub(super) fn rows(facts: &Facts<'_>) -> Vec<Row> {
    let tracefs = Tracefs::open();
    let legacy = |file: &str| tracefs.as_ref().is_ok_and(|tracefs| tracefs.root().join(file).exists());
    vec![
        kprobes(facts, legacy("kprobe_events")),
        kprobe_multi(facts),
        fentry(facts),
        system_calls(facts),
        tracepoints(&tracefs),
        uprobes(facts, legacy("uprobe_events")),
        usdt(facts, Path::new(SEMAPHORE_FORMAT).exists()),
        plain(facts, "iterators", Feature::Iterator, &["BPF_SYSCALL"]),
        lsm(facts),
        hardware_counters(),
    ]
}

/// A row that says no more than whether it works.
pub(super) fn plain(facts: &Facts<'_>, topic: &'static str, feature: Feature, options: &[&str]) -> Row {
    match (facts.support)(feature) {
        Support::Supported => Row::good(topic, "work"),
        refusal => Row::missing(topic, facts.why_not(&refusal, options)),
    }
}

fn kprobes(facts: &Facts<'_>, legacy: bool) -> Row {
    let refusal = match (facts.support)(Feature::KprobePmu) {
        Support::Supported => return Row::good("kprobes", "work"),
        refusal => refusal,
    };
    if legacy {
        return Row::limited("kprobes", format!("through tracefs only ({refusal})"));
    }
    let (fentry, syscalls) = (facts.works(Feature::Fentry), facts.works(Feature::RawTracepoint));
    Row::missing("kprobes", facts.why_not(&refusal, &["KPROBES", "KPROBE_EVENTS"]))
        .advise_if(fentry, "functions can be traced by fentry instead")
        .advise_if(!fentry && syscalls, "system calls can be traced all the same; see below")
        .advise_if(!fentry && syscalls, "use tracepoints in place of other kernel functions")
}

fn kprobe_multi(facts: &Facts<'_>) -> Row {
    const TOPIC: &str = "kprobe-multi";
    match (facts.support)(Feature::KprobeMulti) {
        Support::Supported => Row::good(TOPIC, "works: many functions at the cost of one attach"),
        refusal => {
            let found = facts.why_not(&refusal, &["FPROBE"]);
            match facts.works(Feature::KprobePmu) {
                true => {
                    Row::limited(TOPIC, found).advise("patterns attach one kprobe per function, which takes longer")
                }
                false => Row::missing(TOPIC, found),
            }
        }
    }
}

fn fentry(facts: &Facts<'_>) -> Row {
    const TOPIC: &str = "fentry and fexit";
    let refusal = match (facts.support)(Feature::Fentry) {
        Support::Supported => return Row::good(TOPIC, "work: the cheapest way into a function"),
        refusal => refusal,
    };
    let found = facts.why_not(&refusal, &["DEBUG_INFO_BTF", "DYNAMIC_FTRACE_WITH_DIRECT_CALLS"]);
    match facts.works(Feature::KprobePmu) {
        true => Row::limited(TOPIC, found).advise("kprobes are used instead; they cost a few times as much per call"),
        false => Row::missing(TOPIC, found),
    }
}

fn system_calls(facts: &Facts<'_>) -> Row {
    const TOPIC: &str = "system calls";
    let function_probes = facts.works(Feature::KprobePmu) || facts.works(Feature::Fentry);
    match ((facts.support)(Feature::RawTracepoint), function_probes) {
        (Support::Supported, true) => Row::good(TOPIC, "by their functions or by raw tracepoints"),
        (Support::Supported, false) => {
            Row::good(TOPIC, "by the raw tracepoints sys_enter and sys_exit, filtered to the one that is asked for")
        }
        (refusal, true) => {
            let found = facts.why_not(&refusal, &["FTRACE_SYSCALLS"]);
            Row::limited(TOPIC, format!("by their functions; raw tracepoints: {found}"))
        }
        (refusal, false) => Row::missing(TOPIC, facts.why_not(&refusal, &["FTRACE_SYSCALLS"])),
    }
}

fn tracepoints(tracefs: &crate::error::Result<Tracefs>) -> Row {
    const TOPIC: &str = "tracepoints";
    let tracefs = match tracefs {
        Ok(tracefs) => tracefs,
        Err(err) => {
            let row = Row::missing(TOPIC, err.to_string());
            return err.hints().iter().fold(row, |row, hint| row.advise(hint.as_str()));
        }
    };
    match tracefs.tracepoints() {
        Ok(names) => Row::good(TOPIC, format!("{}, listed in {}", names.len(), tracefs.root().display())),
        Err(err) => Row::missing(TOPIC, err.to_string()),
    }
}

fn uprobes(facts: &Facts<'_>, legacy: bool) -> Row {
    const TOPIC: &str = "uprobes";
    match ((facts.support)(Feature::UprobePmu), facts.works(Feature::UprobeMulti)) {
        (Support::Supported, true) => Row::good(TOPIC, "work, also many at once (uprobe-multi)"),
        (Support::Supported, false) => Row::good(TOPIC, "work, attached one by one"),
        (refusal, _) if legacy => Row::limited(TOPIC, format!("through tracefs only ({refusal})")),
        (refusal, _) => Row::missing(TOPIC, facts.why_not(&refusal, &["UPROBES", "UPROBE_EVENTS"])),
    }
}

fn usdt(facts: &Facts<'_>, semaphores: bool) -> Row {
    const TOPIC: &str = "USDT probes";
    match (facts.works(Feature::UprobePmu), semaphores, facts.works(Feature::BpfCookie)) {
        (false, ..) => Row::missing(TOPIC, "they need uprobes"),
        (true, true, true) => Row::good(TOPIC, "work, with semaphores counted by the kernel"),
        (true, true, false) => {
            Row::limited(TOPIC, "work, with semaphores counted by the kernel, without attach cookies")
        }
        (true, false, _) => Row::limited(TOPIC, "the kernel does not count semaphores")
            .advise("probes that a program switches off until somebody looks stay off"),
    }
}

fn lsm(facts: &Facts<'_>) -> Row {
    const TOPIC: &str = "security hooks (LSM)";
    let active = facts.privilege.security_modules.as_deref();
    match ((facts.support)(Feature::Lsm), active) {
        (Support::Supported, Some(modules)) if !modules.split(',').any(|module| module == "bpf") => {
            Row::limited(TOPIC, format!("programs attach but are not called: active security modules are {modules}"))
                .advise("start the kernel with `bpf` added to its `lsm=` list")
        }
        (Support::Supported, _) => Row::good(TOPIC, "work"),
        (refusal, _) => Row::missing(TOPIC, facts.why_not(&refusal, &["BPF_LSM"])),
    }
}

fn hardware_counters() -> Row {
    const TOPIC: &str = "hardware counters";
    let devices = Path::new("/sys/bus/event_source/devices");
    match ["cpu", "cpu_core", "armv8_pmuv3_0", "armv8_pmuv3"].into_iter().find(|name| devices.join(name).exists()) {
        Some(name) => Row::good(TOPIC, format!("performance unit `{name}`")),
        None => Row::missing(TOPIC, "this kernel sees no performance unit in the CPU")
            .advise("sample by time with the software event cpu-clock"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::Verdict;
    use super::*;
    use crate::kernel::privilege::{Capabilities, Privilege};

    fn row_with(works: &[Feature], unset: Option<&str>, make: fn(&Facts<'_>) -> Row) -> Row {
        let support = |feature| match works.contains(&feature) {
            true => Support::Supported,
            false => Support::Unsupported { errno: Some(libc::EPERM), why: "BPF_PROG_LOAD".to_owned() },
        };
        let unset = |option: &str| unset.filter(|it| *it == option).map(|it| format!("CONFIG_{it} is not set"));
        let effective = Capabilities::parse_status("CapEff:\t000001ffffffffff", "CapEff").unwrap_or_default();
        let privilege = Privilege { effective, ..Privilege::default() };
        make(&Facts { support: &support, unset: &unset, privilege: &privilege })
    }

    #[test]
    fn a_kernel_without_kprobes() {
        let kprobes = |facts: &Facts<'_>| kprobes(facts, false);
        let row = row_with(&[Feature::RawTracepoint], Some("KPROBES"), kprobes);
        assert_eq!((row.verdict, row.found.as_str()), (Verdict::Missing, "CONFIG_KPROBES is not set"));
        assert_eq!(row.advice.len(), 2);
        let row = row_with(&[Feature::Fentry], Some("KPROBES"), kprobes);
        assert_eq!(row.advice, ["functions can be traced by fentry instead"]);
        assert!(row_with(&[], None, kprobes).advice.iter().all(|line| !line.contains("system calls")));
        assert_eq!(row_with(&[], None, |facts| super::kprobes(facts, true)).verdict, Verdict::Limited);
    }

    #[test]
    fn fentry_refused_for_no_known_reason() {
        let row = row_with(&[], None, fentry);
        assert_eq!(row.found, "BPF_PROG_LOAD: EPERM, though this process has the capabilities that it takes");
        assert_eq!((row.verdict, row.advice.len()), (Verdict::Missing, 0));
        assert_eq!(row_with(&[Feature::KprobePmu], None, fentry).verdict, Verdict::Limited);
    }

    #[test]
    fn the_others() {
        assert_eq!(row_with(&[Feature::RawTracepoint], None, system_calls).verdict, Verdict::Good);
        assert_eq!(row_with(&[Feature::KprobePmu], None, system_calls).verdict, Verdict::Limited);
        assert_eq!(row_with(&[], Some("FPROBE"), kprobe_multi).found, "CONFIG_FPROBE is not set");
        assert_eq!(row_with(&[], None, |facts| usdt(facts, true)).verdict, Verdict::Missing);
        assert_eq!(row_with(&[Feature::UprobePmu], None, |facts| usdt(facts, false)).verdict, Verdict::Limited);
    }
}
