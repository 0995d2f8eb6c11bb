// SPDX-License-Identifier: Apache-2.0
//! The whole report, and its first section: the kernel itself.

use super::facts::Facts;
use super::row::{Row, Section};
use super::{access, attaching, data};
use crate::error::Result;
use crate::kernel::btf::Btf;
use crate::kernel::config::KernelConfig;
use crate::kernel::kallsyms::{self, Kallsyms};
use crate::kernel::privilege::Privilege;
use crate::kernel::release::{Release, VERSION_CODE_VARIABLE};
use crate::kernel::{cpus, modules, syscalls};
use std::sync::Arc;

/// What was found on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineReport {
    /// The sections in the order in which they are shown.
    pub sections: Vec<Section>,
}

impl MachineReport {
    /// Looks at everything. Takes a fraction of a second: features are tried and the kernel's symbols are read.
    pub fn collect() -> Self {
        let privilege = Privilege::read();
        let facts = Facts::of_this_machine(&privilege);
        let sections = vec![
            Section { title: "kernel", rows: kernel_rows(&privilege) },
            Section { title: "what can be traced", rows: attaching::rows(&facts) },
            Section { title: "data from the kernel", rows: data::rows(&facts) },
            Section { title: "permissions", rows: access::rows(&facts) },
        ];
        MachineReport { sections }
    }

    /// All rows.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.sections.iter().flat_map(|section| &section.rows)
    }
}

fn kernel_rows(privilege: &Privilege) -> Vec<Row> {
    vec![
        kernel_row(Release::running()),
        btf_row(),
        symbols_row(kallsyms::shared(), privilege),
        syscalls_row(),
        config_row(),
        cpus_row(),
    ]
}

fn kernel_row(release: &Release) -> Row {
    let built = release.version.to_string();
    let mut found = format!("{} on {}", release.name, release.machine);
    if !release.name.starts_with(&built) {
        found += &format!(", built from {built}");
    }
    if release.version_code() != release.version.code() {
        found += &format!("; {VERSION_CODE_VARIABLE} makes it {:#x}", release.version_code());
    }
    Row::good("kernel", found)
}

fn btf_row() -> Row {
    match Btf::kernel() {
        Ok(btf) => Row::good("type data (BTF)", format!("{} types", btf.type_count())),
        Err(err) => {
            let row = Row::missing("type data (BTF)", err.why()).advise("give a BTF file with `--btf FILE`");
            err.hints().iter().fold(row, |row, hint| row.advise(hint.as_str()))
        }
    }
}

fn symbols_row(symbols: Result<Arc<Kallsyms>>, privilege: &Privilege) -> Row {
    const TOPIC: &str = "kernel symbols";
    let symbols = match symbols {
        Ok(symbols) => symbols,
        Err(err) => return Row::missing(TOPIC, err.to_string()),
    };
    let loaded = match modules::loaded().len() {
        0 => String::new(),
        count => format!(", {count} kernel modules"),
    };
    let found = format!("{} names{loaded}", symbols.len());
    if symbols.is_empty() {
        return Row::missing(TOPIC, format!("{} is empty", kallsyms::PATH));
    }
    if !symbols.addresses_hidden() {
        return Row::good(TOPIC, format!("{found}, with addresses"));
    }
    match privilege.kptr_restrict {
        Some(2) if privilege.uid == 0 => {
            Row::limited(TOPIC, format!("{found}, addresses hidden by kernel.kptr_restrict = 2"))
                .advise("kernel stacks get names after `sysctl kernel.kptr_restrict=1`")
        }
        _ => Row::limited(TOPIC, format!("{found}, addresses hidden from uid {}", privilege.uid))
            .advise("kernel stacks get names when run with CAP_SYSLOG"),
    }
}

fn syscalls_row() -> Row {
    match syscalls::prefix() {
        Ok(prefix) => Row::good("system calls", format!("their functions are called `{prefix}NAME`")),
        Err(err) => Row::missing("system calls", err.to_string()),
    }
}

fn config_row() -> Row {
    match KernelConfig::running() {
        Some(config) => Row::good("configuration", config.path().display().to_string()),
        None => Row::limited("configuration", "not to be found; messages cannot say what the kernel was built without"),
    }
}

fn cpus_row() -> Row {
    match (cpus::online(), cpus::possible()) {
        (Ok(online), Ok(possible)) => {
            Row::good("CPUs", format!("{} online of {} possible", online.len(), possible.len()))
        }
        (Err(err), _) | (_, Err(err)) => Row::missing("CPUs", err.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::Verdict;
    use super::*;

    #[test]
    fn hidden_addresses() {
        let symbols = |text: &str| Ok(Arc::new(Kallsyms::parse(text.as_bytes()).unwrap()));
        let user = Privilege { uid: 1000, kptr_restrict: Some(1), ..Privilege::default() };
        let row = symbols_row(symbols("0 T a\n"), &user);
        assert_eq!(row.verdict, Verdict::Limited);
        assert!(row.advice[0].contains("CAP_SYSLOG"));
        let root = Privilege { kptr_restrict: Some(2), ..Privilege::default() };
        assert!(symbols_row(symbols("0 T a\n"), &root).advice[0].contains("kptr_restrict=1"));
        assert_eq!(symbols_row(symbols("1 T a\n"), &user).verdict, Verdict::Good);
        assert_eq!(symbols_row(symbols(""), &user).verdict, Verdict::Missing);
    }

    #[test]
    fn root_every_row_says_something() {
        let report = MachineReport::collect();
        for row in report.rows() {
            println!("{:?} {}: {} {:?}", row.verdict, row.topic, row.found, row.advice);
            assert!(!row.topic.is_empty() && !row.found.is_empty(), "{row:?}");
            assert!(!row.found.contains('\n') && row.advice.iter().all(|line| !line.contains('\n')), "{row:?}");
        }
        assert!(report.rows().count() > 20);
    }
}
