// SPDX-License-Identifier: Apache-2.0
//! Programs in the kernel.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::Variant;
use super::btf_target::Replaced;
use super::prog_type::{AttachType, ProgType};
use super::sys::prog as sys;
use crate::error::{Error, Result};

/// How a function is to be loaded: the variant, and what is patched into it. Equal values share one program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LoadAs {
    /// As its section says.
    Section,
    /// For a kprobe or kretprobe.
    Kprobe,
    /// For a kprobe or kretprobe on many functions through one link.
    KprobeMulti,
    /// For a uprobe or uretprobe.
    Uprobe,
    /// For a uprobe or uretprobe on many functions through one link.
    UprobeMulti,
    /// For a USDT probe.
    Usdt(UsdtLoad),
    /// For the entry of this kernel function, by its BTF.
    Fentry(String),
    /// For the return of this kernel function, by its BTF.
    Fexit(String),
    /// For the entry of the system call with this number, from the raw tracepoint `sys_enter`.
    SysEnter(u32),
    /// For the return of the system call with this number, from the raw tracepoint `sys_exit`.
    SysExit(u32),
    /// For a tracepoint.
    Tracepoint,
    /// For a raw tracepoint.
    RawTracepoint,
    /// For this target, by its BTF, in place of the one its section may name (`fentry`, `lsm`, `tp_btf` …).
    Tracing(String),
    /// For the place of this function of another program.
    Freplace(Replaced),
    /// As a program of this type, whatever the section says (`load_func`, and all that is attached to devices, sockets
    /// and control groups).
    Typed(Typed),
}

/// A type of program that the user or an attachment names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Typed {
    /// The type.
    pub prog: ProgType,
    /// For which attachment; what the section says, or the only one of the type, when none.
    pub attach: Option<AttachType>,
    /// The network device to run on, for devices that run programs themselves; 0 for none.
    pub device: u32,
}

impl Typed {
    /// Of this type, for the attachment that its section says or that is the type's only one.
    pub fn new(prog: ProgType) -> Typed {
        Typed { prog, attach: None, device: 0 }
    }

    /// Of this type, for this attachment.
    pub fn attached_as(prog: ProgType, attach: AttachType) -> Typed {
        Typed { prog, attach: Some(attach), device: 0 }
    }
}

/// How a function is loaded for a USDT probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UsdtLoad {
    /// For many places through one link.
    pub multi: bool,
    /// The record of the arguments' places; none when the attachment's cookie says it.
    pub record: Option<u32>,
    /// The descriptor of the map with the records, in place of the one that came with the object.
    pub records: Option<i32>,
}

impl LoadAs {
    /// The kind of probe, for people.
    pub fn name(&self) -> &'static str {
        match self {
            LoadAs::Section => "as its section says",
            LoadAs::Kprobe => "kprobe",
            LoadAs::KprobeMulti => "kprobe.multi",
            LoadAs::Uprobe => "uprobe",
            LoadAs::UprobeMulti => "uprobe.multi",
            LoadAs::Usdt(_) => "usdt",
            LoadAs::Fentry(_) => "fentry",
            LoadAs::Fexit(_) => "fexit",
            LoadAs::SysEnter(_) => "raw tracepoint sys_enter",
            LoadAs::SysExit(_) => "raw tracepoint sys_exit",
            LoadAs::Tracepoint => "tracepoint",
            LoadAs::RawTracepoint => "raw tracepoint",
            LoadAs::Tracing(_) => "tracing",
            LoadAs::Freplace(_) => "freplace",
            LoadAs::Typed(typed) => typed.prog.name(),
        }
    }

    /// The variant of a function that serves, given those it has.
    pub fn variant(&self, variants: &[Variant]) -> Variant {
        match self {
            LoadAs::Uprobe | LoadAs::UprobeMulti | LoadAs::Usdt(_) if variants.contains(&Variant::Uprobe) => {
                Variant::Uprobe
            }
            LoadAs::Fentry(_) => Variant::Fentry,
            LoadAs::Fexit(_) => Variant::Fexit,
            LoadAs::SysEnter(_) => Variant::SysEnter,
            LoadAs::SysExit(_) => Variant::SysExit,
            _ => Variant::Plain,
        }
    }
}

/// How often a program ran; counted by the kernel while [`RunCounting`] is alive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunStats {
    /// Runs.
    pub runs: u64,
    /// Nanoseconds spent in them.
    pub time_ns: u64,
    /// Runs that the kernel left out, counted always: recursion, or no free instance of a return probe.
    pub missed: u64,
}

impl std::ops::AddAssign for RunStats {
    fn add_assign(&mut self, other: RunStats) {
        self.runs += other.runs;
        self.time_ns += other.time_ns;
        self.missed += other.missed;
    }
}

/// While this lives, the kernel counts the runs of all programs, at some 20 ns each.
#[derive(Debug)]
pub struct RunCounting {
    _fd: OwnedFd,
}

impl RunCounting {
    /// Starts the counting.
    pub fn start() -> Result<RunCounting> {
        let fd = sys::count_runs().map_err(|err| Error::io("cannot make the kernel count program runs", &err))?;
        Ok(RunCounting { _fd: fd })
    }
}

/// A program that the kernel holds; dropping the last reference (and every link) frees it.
#[derive(Debug)]
pub struct Program {
    pub(super) name: String,
    pub(super) variant: Variant,
    pub(super) fd: OwnedFd,
    pub(super) instructions: usize,
    pub(super) prog_type: u32,
    pub(super) expected_attach_type: u32,
    /// What it was loaded for, for people: its section, or the kind of probe.
    pub(super) kind: String,
    pub(super) log: String,
}

impl Program {
    /// The user's function.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The variant of the function that was loaded.
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// The kernel's number for the program, as `bpftool prog` shows it.
    pub fn id(&self) -> Result<u32> {
        Ok(self.info()?.id)
    }

    /// Instructions, before the verifier rewrote them.
    pub fn instructions(&self) -> usize {
        self.instructions
    }

    /// What the verifier said, when the object was created with a log level.
    pub fn verifier_log(&self) -> &str {
        &self.log
    }

    /// How often it ran.
    pub fn stats(&self) -> RunStats {
        let info = self.info().unwrap_or_default();
        RunStats { runs: info.runs, time_ns: info.time_ns, missed: info.recursion_misses }
    }

    fn info(&self) -> Result<sys::ProgInfo> {
        sys::info(self.as_fd()).map_err(|err| Error::io(format!("cannot ask about program `{}`", self.name), &err))
    }
}

impl AsFd for Program {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
