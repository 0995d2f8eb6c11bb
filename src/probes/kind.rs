// SPDX-License-Identifier: Apache-2.0
//! The kinds of probes and the words for them.

/// A kind of probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The entry of a kernel function, or a place in it.
    Kprobe,
    /// The return of a kernel function.
    Kretprobe,
    /// The entry of a kernel function by BTF, with typed arguments.
    Fentry,
    /// The return of a kernel function by BTF, with arguments and result.
    Fexit,
    /// A tracepoint of the kernel.
    Tracepoint,
    /// The same without the record that the kernel makes for each event.
    RawTracepoint,
    /// The entry of a function of a program or library.
    Uprobe,
    /// The return of a function of a program or library.
    Uretprobe,
    /// A probe that a program's author left in it.
    Usdt,
    /// An event that the kernel counts in software.
    Software,
    /// An event that the processor counts.
    Hardware,
    /// Samples on every CPU.
    Profile,
    /// A clock on one CPU.
    Interval,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 13] = [
        Kind::Kprobe,
        Kind::Kretprobe,
        Kind::Fentry,
        Kind::Fexit,
        Kind::Tracepoint,
        Kind::RawTracepoint,
        Kind::Uprobe,
        Kind::Uretprobe,
        Kind::Usdt,
        Kind::Software,
        Kind::Hardware,
        Kind::Profile,
        Kind::Interval,
    ];

    /// Its name, as lists show it.
    pub fn name(self) -> &'static str {
        self.names()[0]
    }

    /// Its names; those after the first are bpftrace's long and short ones.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Kind::Kprobe => &["kprobe", "k"],
            Kind::Kretprobe => &["kretprobe", "kr"],
            Kind::Fentry => &["fentry", "kfunc", "f"],
            Kind::Fexit => &["fexit", "kretfunc", "fr"],
            Kind::Tracepoint => &["tracepoint", "t"],
            Kind::RawTracepoint => &["rawtracepoint", "raw_tracepoint", "rt"],
            Kind::Uprobe => &["uprobe", "u"],
            Kind::Uretprobe => &["uretprobe", "ur"],
            Kind::Usdt => &["usdt", "U"],
            Kind::Software => &["software", "s"],
            Kind::Hardware => &["hardware", "h"],
            Kind::Profile => &["profile", "p"],
            Kind::Interval => &["interval", "i"],
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.names().contains(&name))
    }

    /// Whether it is about a function of the kernel.
    pub fn is_kernel_function(self) -> bool {
        matches!(self, Kind::Kprobe | Kind::Kretprobe | Kind::Fentry | Kind::Fexit)
    }

    /// How a probe of this kind is written.
    pub fn form(self) -> &'static str {
        match self {
            Kind::Kprobe => "kprobe:FUNCTION[+OFFSET]",
            Kind::Kretprobe => "kretprobe:FUNCTION",
            Kind::Fentry => "fentry:[MODULE:]FUNCTION",
            Kind::Fexit => "fexit:[MODULE:]FUNCTION",
            Kind::Tracepoint => "tracepoint:CATEGORY:EVENT",
            Kind::RawTracepoint => "rawtracepoint:EVENT",
            Kind::Uprobe => "uprobe:PATH:FUNCTION[+OFFSET]",
            Kind::Uretprobe => "uretprobe:PATH:FUNCTION",
            Kind::Usdt => "usdt:PATH:[PROVIDER:]NAME",
            Kind::Software => "software:EVENT[:COUNT]",
            Kind::Hardware => "hardware:EVENT[:COUNT]",
            Kind::Profile => "profile:hz:99",
            Kind::Interval => "interval:s:1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_kind() {
        for kind in Kind::ALL {
            for name in kind.names() {
                assert_eq!(Kind::from_name(name), Some(kind), "{name}");
            }
            assert!(kind.form().starts_with(kind.name()));
        }
        assert_eq!(Kind::from_name("kprob"), None);
    }
}
