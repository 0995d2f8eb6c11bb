// SPDX-License-Identifier: Apache-2.0
//! What is attached, and why it is attached the way it is.

use super::program::LoadAs;
use super::{Link, Mechanism, RunStats, UprobePlace, UprobeTarget, UserFunction};

/// Names one attached probe of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProbeId(pub u32);

/// The kinds of probes that users tell apart, and detach by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProbeKind {
    /// A kernel function's entry, or an instruction in it.
    Kprobe,
    /// A kernel function's return.
    Kretprobe,
    /// A place in a user program.
    Uprobe,
    /// The return of a user program's function.
    Uretprobe,
    /// A probe that its author left in a user program.
    Usdt,
    /// A tracepoint.
    Tracepoint,
    /// A raw tracepoint.
    RawTracepoint,
    /// The entry of a kernel function by BTF; kfunc to bcc.
    Fentry,
    /// The return of a kernel function by BTF; kretfunc to bcc.
    Fexit,
    /// The return of a kernel function, whose result the program replaces.
    FmodRet,
    /// A hook of the security modules.
    Lsm,
    /// A raw tracepoint with typed arguments.
    TpBtf,
    /// An iterator.
    Iter,
    /// A function in the place of another program's.
    Freplace,
    /// A struct of functions that the kernel calls.
    StructOps,
    /// Any other program that the kernel attaches by BTF.
    Tracing,
    /// Samples of a perf event.
    PerfEvent,
    /// Packets of a network device before the kernel's own network code.
    Xdp,
    /// Packets of a network device in traffic control.
    Tc,
    /// Copies of packets, for a packet socket.
    RawSocket,
    /// What processes of a control group do.
    Cgroup,
    /// Data of the sockets in a map.
    Sockmap,
    /// Packets or lookups of a network namespace.
    Netns,
    /// Packets at a hook of netfilter.
    Netfilter,
    /// Any other attachment by number and descriptor.
    Other,
}

impl ProbeKind {
    /// The field's word.
    pub fn name(self) -> &'static str {
        match self {
            ProbeKind::Kprobe => "kprobe",
            ProbeKind::Kretprobe => "kretprobe",
            ProbeKind::Uprobe => "uprobe",
            ProbeKind::Uretprobe => "uretprobe",
            ProbeKind::Usdt => "usdt",
            ProbeKind::Tracepoint => "tracepoint",
            ProbeKind::RawTracepoint => "raw_tracepoint",
            ProbeKind::Fentry => "fentry",
            ProbeKind::Fexit => "fexit",
            ProbeKind::FmodRet => "fmod_ret",
            ProbeKind::Lsm => "lsm",
            ProbeKind::TpBtf => "tp_btf",
            ProbeKind::Iter => "iter",
            ProbeKind::Freplace => "freplace",
            ProbeKind::StructOps => "struct_ops",
            ProbeKind::Tracing => "tracing",
            ProbeKind::PerfEvent => "perf_event",
            ProbeKind::Xdp => "xdp",
            ProbeKind::Tc => "tc",
            ProbeKind::RawSocket => "raw_socket",
            ProbeKind::Cgroup => "cgroup",
            ProbeKind::Sockmap => "sockmap",
            ProbeKind::Netns => "netns",
            ProbeKind::Netfilter => "netfilter",
            ProbeKind::Other => "other",
        }
    }
}

/// What is known of one attached probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeReport {
    /// The probe.
    pub id: ProbeId,
    /// Its kind.
    pub kind: ProbeKind,
    /// What the user named: `vfs_read`, `/^vfs_/`, `bash:readline`, `syscalls:sys_enter_openat`.
    pub target: String,
    /// What is really probed, when that differs or is several: `finish_task_switch.isra.0`.
    pub resolved: Vec<String>,
    /// The user's function.
    pub function: String,
    /// How it is attached.
    pub mechanism: Mechanism,
    /// Why not by a cheaper mechanism, one line each: `fentry: this kernel refuses programs of this kind (EPERM)`.
    pub why: Vec<String>,
    /// Remarks: a name that was completed, functions of a regular expression that could not be probed.
    pub notes: Vec<String>,
    /// How many functions it probes, as bcc counts: several for a regular expression.
    pub places: usize,
    /// What the kernel counted so far.
    pub stats: RunStats,
}

/// What attaching comes to.
#[derive(Debug)]
pub(super) struct Attached {
    pub links: Vec<Link>,
    pub mechanism: Mechanism,
    pub resolved: Vec<String>,
    pub why: Vec<String>,
    pub notes: Vec<String>,
    /// What the one link is on, by one pattern for functions of a file.
    pub many: Option<ManyUprobes>,
}

/// Functions of a file that one link is on.
#[derive(Clone, Debug)]
pub(super) struct ManyUprobes {
    /// The file and the process; its place counts for nothing.
    pub target: UprobeTarget,
    /// The regular expression that they match.
    pub pattern: String,
    pub functions: Vec<UserFunction>,
    /// Whether the program sees entry and return.
    pub session: bool,
    pub load_as: LoadAs,
}

impl ManyUprobes {
    /// One of the functions as a probe on it alone is called.
    pub fn name_of(&self, function: &UserFunction) -> String {
        let place = UprobePlace::Function(function.name.clone(), function.address);
        UprobeTarget { place, ..self.target.clone() }.to_string()
    }
}

impl Attached {
    /// One link, nothing to remark.
    pub fn one(link: Link, mechanism: Mechanism) -> Attached {
        Self::many(vec![link], mechanism)
    }

    /// Several links, nothing to remark.
    pub fn many(links: Vec<Link>, mechanism: Mechanism) -> Attached {
        Attached { links, mechanism, resolved: Vec::new(), why: Vec::new(), notes: Vec::new(), many: None }
    }
}

/// One attached probe.
#[derive(Debug)]
pub(super) struct Probe {
    pub id: ProbeId,
    pub kind: ProbeKind,
    pub target: String,
    pub function: String,
    pub attached: Attached,
}

impl Probe {
    /// Whether this is that attachment of that function.
    pub fn is(&self, kind: ProbeKind, target: &str, function: &str) -> bool {
        self.kind == kind && self.target == target && self.function == function
    }

    /// Whether the user may mean this one by `target`.
    pub fn is_at(&self, target: &str) -> bool {
        self.target == target || self.attached.resolved.iter().any(|name| name == target)
    }

    pub fn report(&self) -> ProbeReport {
        let attached = &self.attached;
        ProbeReport {
            id: self.id,
            kind: self.kind,
            target: self.target.clone(),
            resolved: attached.resolved.clone(),
            function: self.function.clone(),
            mechanism: attached.mechanism,
            why: attached.why.clone(),
            notes: attached.notes.clone(),
            places: self.places(),
            stats: self.stats(),
        }
    }

    /// One for each link, or each function of the one link that is for many.
    fn places(&self) -> usize {
        match self.attached.links.len() {
            1 => self.attached.resolved.len().max(1),
            several => several,
        }
    }

    /// The runs of the program are those of all its links: a program shared with other probes counts for each. A struct
    /// of functions has a program for each.
    fn stats(&self) -> RunStats {
        let programs = if self.kind == ProbeKind::StructOps { self.attached.links.len() } else { 1 };
        let mut stats = RunStats::default();
        self.attached.links.iter().take(programs).for_each(|link| stats += link.program().stats());
        stats.missed += self.attached.links.iter().map(Link::missed).sum::<u64>();
        stats
    }
}
