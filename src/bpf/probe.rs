// SPDX-License-Identifier: Apache-2.0
//! What is attached, and why it is attached the way it is.

use super::{Mechanism, RunStats};

/// Names one attached probe of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProbeId(pub u32);

/// What is known of one attached probe.
#[derive(Clone, Debug)]
pub struct ProbeReport {
    /// The probe.
    pub id: ProbeId,
    /// The kind in the field's words: `kprobe`, `kretprobe`, `uprobe`, `tracepoint`, `raw_tracepoint`, `fentry` …
    pub kind: &'static str,
    /// What the user named: `vfs_read`, `/^vfs_/`, `bash:readline`, `syscalls:sys_enter_openat`.
    pub target: String,
    /// What is really probed, when that differs or is several: `finish_task_switch.isra.0`.
    pub resolved: Vec<String>,
    /// The user's function.
    pub function: String,
    /// How it is attached.
    pub mechanism: Mechanism,
    /// Why not by a cheaper mechanism, one line each: `fentry: refused by this kernel (EPERM)`.
    pub why: Vec<String>,
    /// Remarks: a name that was completed, functions of a regular expression that could not be probed.
    pub notes: Vec<String>,
    /// What the kernel counted so far.
    pub stats: RunStats,
}
