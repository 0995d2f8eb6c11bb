// SPDX-License-Identifier: Apache-2.0
//! Programs in the kernel.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::Variant;

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
    /// For the entry of this kernel function, by its BTF.
    Fentry(String),
    /// For the return of this kernel function, by its BTF.
    Fexit(String),
    /// For the entry of the system call with this number, from the raw tracepoint `sys_enter`.
    SysEnter(u32),
    /// For the return of the system call with this number, from the raw tracepoint `sys_exit`.
    SysExit(u32),
}

/// How often a program ran; counted by the kernel while statistics are on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunStats {
    /// Runs, when `kernel.bpf_stats_enabled` is on.
    pub runs: u64,
    /// Nanoseconds spent in them.
    pub time_ns: u64,
    /// Runs that the kernel left out (recursion, or no free kretprobe instance).
    pub missed: u64,
}

/// A program that the kernel holds; dropping the last reference (and every link) frees it.
#[derive(Debug)]
pub struct Program {
    name: String,
    variant: Variant,
    fd: OwnedFd,
    id: u32,
    instructions: usize,
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
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Instructions, before the verifier rewrote them.
    pub fn instructions(&self) -> usize {
        self.instructions
    }
}

impl AsFd for Program {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
