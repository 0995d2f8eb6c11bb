// SPDX-License-Identifier: Apache-2.0
//! The ways a program is attached. Each makes links and says what it chose.
//!
//! For a kprobe there are four, tried from the cheapest ([`kprobe`]): fentry or fexit, one link for many functions,
//! kprobes proper, and the raw tracepoints of system calls for kernels that offer none of these. What one kernel
//! refuses is learnt by trying it, and remembered for the process ([`refusals`]).

mod auto;
mod detach;
mod functions;
mod instead;
mod kprobe;
mod library;
mod perf_probe;
mod refusals;
mod target;
mod tracefs_event;
mod tracepoint;
mod uprobe;
mod uprobe_file;

pub use target::{KprobeEvent, KprobeTarget, Mechanism, UprobePlace, UprobeTarget};
pub(super) use tracefs_event::TracefsEvent;
