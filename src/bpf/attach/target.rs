// SPDX-License-Identifier: Apache-2.0
//! What the user asks to be probed.

use std::fmt;

use crate::error::{Error, Result};

/// How a probe is attached. The first four are the choices for a kprobe, cheapest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// The cheapest that gives the same result.
    #[default]
    Auto,
    /// A trampoline at a function's entry or return (`fentry`, `fexit`).
    Fentry,
    /// One kprobe link for many functions.
    KprobeMulti,
    /// A kprobe or kretprobe.
    Kprobe,
    /// The raw tracepoint `sys_enter` or `sys_exit`, filtered to one system call.
    SyscallTracepoint,
    /// A uprobe or uretprobe.
    Uprobe,
    /// One link for many uprobes in a file.
    UprobeMulti,
    /// One link for entries and returns of many kernel functions, seen by one program.
    KprobeSession,
    /// A tracepoint's perf event.
    Tracepoint,
    /// A raw tracepoint.
    RawTracepoint,
    /// A BTF-typed attachment that the user's section names.
    Tracing,
    /// Samples of perf events, one event for each CPU.
    PerfEvent,
    /// A link of the kind that the program's type implies; it goes with the process.
    Link,
    /// Attached without a link, for kernels or flags that have none: it stays when the process is killed.
    ProgAttach,
    /// A link to a device's traffic control.
    Tcx,
    /// A filter on the queueing discipline `clsact`: it stays when the process is killed.
    Clsact,
    /// The filter of a socket.
    Socket,
    /// The value of a map of functions, for kernels or texts without links: it stays when the process is killed.
    MapUpdate,
}

impl Mechanism {
    /// The name that `mechanism=` takes and reports show.
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Auto => "auto",
            Mechanism::Fentry => "fentry",
            Mechanism::KprobeMulti => "kprobe_multi",
            Mechanism::Kprobe => "kprobe",
            Mechanism::SyscallTracepoint => "sys_enter",
            Mechanism::Uprobe => "uprobe",
            Mechanism::UprobeMulti => "uprobe_multi",
            Mechanism::KprobeSession => "kprobe_session",
            Mechanism::Tracepoint => "tracepoint",
            Mechanism::RawTracepoint => "raw_tracepoint",
            Mechanism::Tracing => "tracing",
            Mechanism::PerfEvent => "perf_event",
            Mechanism::Link => "link",
            Mechanism::ProgAttach => "prog_attach",
            Mechanism::Tcx => "tcx",
            Mechanism::Clsact => "clsact",
            Mechanism::Socket => "socket",
            Mechanism::MapUpdate => "map_update",
        }
    }

    /// The mechanism that a user forces by name for a kprobe.
    pub fn parse(name: &str) -> Result<Mechanism> {
        match name {
            "auto" => Ok(Mechanism::Auto),
            "fentry" | "fexit" => Ok(Mechanism::Fentry),
            "kprobe_multi" => Ok(Mechanism::KprobeMulti),
            "kprobe" => Ok(Mechanism::Kprobe),
            "sys_enter" | "sys_exit" => Ok(Mechanism::SyscallTracepoint),
            _ => Err(Error::script(format!("no mechanism `{name}`"), "unknown name")
                .with_hint("a kprobe attaches by: auto, fentry, kprobe_multi, kprobe, sys_enter")),
        }
    }
}

/// Which kernel functions a kprobe is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KprobeEvent {
    /// A function by name.
    Name(String),
    /// Every function whose whole name matches this regular expression.
    Matching(String),
    /// An address in the kernel.
    Address(u64),
}

/// The request of `attach_kprobe` and `attach_kretprobe`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KprobeTarget {
    /// The functions.
    pub event: KprobeEvent,
    /// Bytes after the function's start; not for return probes.
    pub offset: u64,
    /// Probe the return.
    pub retprobe: bool,
    /// How many calls may be under way at once in a return probe; 0 leaves it to the kernel. Others are missed.
    pub maxactive: u32,
    /// Force one mechanism.
    pub mechanism: Mechanism,
    /// What `bpf_get_attach_cookie` gives, by a mechanism that carries it in this kernel.
    pub cookie: Option<u64>,
}

impl KprobeTarget {
    /// The entry of the function of this name.
    pub fn function(name: impl Into<String>) -> Self {
        Self::new(KprobeEvent::Name(name.into()))
    }

    /// The entries of all functions whose whole name matches.
    pub fn matching(regex: impl Into<String>) -> Self {
        Self::new(KprobeEvent::Matching(regex.into()))
    }

    /// The instruction at this kernel address.
    pub fn address(address: u64) -> Self {
        Self::new(KprobeEvent::Address(address))
    }

    fn new(event: KprobeEvent) -> Self {
        Self { event, offset: 0, retprobe: false, maxactive: 0, mechanism: Mechanism::Auto, cookie: None }
    }
}

/// Where in a file a uprobe goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UprobePlace {
    /// A symbol's start, plus an offset in bytes.
    Symbol(String, u64),
    /// A function, told from others of its name by its address in the symbol table.
    Function(String, u64),
    /// An address as symbols have it; where there is no code at that, an offset in the file.
    Address(u64),
}

/// The request of `attach_uprobe` and `attach_uretprobe`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UprobeTarget {
    /// A path, a program's name (searched in `PATH`), or a library: `c`, `libc.so.6`.
    pub name: String,
    /// Where in that file.
    pub place: UprobePlace,
    /// Only in this process; every process when none.
    pub pid: Option<i32>,
    /// Probe the return.
    pub retprobe: bool,
}

impl UprobeTarget {
    /// The start of a function of a program or library, in every process.
    pub fn function(name: impl Into<String>, symbol: impl Into<String>) -> Self {
        let place = UprobePlace::Symbol(symbol.into(), 0);
        UprobeTarget { name: name.into(), place, pid: None, retprobe: false }
    }
}

impl fmt::Display for UprobeTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            UprobePlace::Symbol(symbol, 0) | UprobePlace::Function(symbol, _) => write!(f, "{}:{symbol}", self.name),
            UprobePlace::Symbol(symbol, offset) => write!(f, "{}:{symbol}+{offset:#x}", self.name),
            UprobePlace::Address(address) => write!(f, "{}:{address:#x}", self.name),
        }?;
        f.write_str(&self.of_process())
    }
}

impl UprobeTarget {
    /// The process, as words behind a name.
    pub(super) fn of_process(&self) -> String {
        self.pid.map(|pid| format!(" in process {pid}")).unwrap_or_default()
    }
}
