// SPDX-License-Identifier: Apache-2.0
//! The ways a program is attached. Each makes links and says what it chose.
//!
//! For a kprobe there are four, tried from the cheapest ([`kprobe`]): fentry or fexit, one link for many functions,
//! kprobes proper, and the raw tracepoints of system calls for kernels that offer none of these. What one kernel
//! refuses is learnt by trying it, and remembered for the process ([`refusals`]).

mod attach_func;
mod auto;
mod cookie;
mod detach;
mod freplace;
mod functions;
mod indirect;
mod instead;
mod instructions;
mod iter;
mod kprobe;
mod library;
mod multi;
mod netfilter;
mod perf_event;
mod perf_probe;
mod prog_attach;
mod raw_socket;
mod refusals;
mod struct_ops;
mod target;
mod tc;
mod tracefs_event;
mod tracepoint;
mod tracing;
mod uprobe;
mod uprobe_file;
mod usdt;
mod usdt_source;
mod user_functions;
mod xdp;

pub use attach_func::{FuncTarget, Place};
pub(super) use auto::deferred;
pub use freplace::{FreplaceTarget, ReplacedIn};
pub use iter::IterTarget;
pub use netfilter::NetfilterTarget;
pub use perf_event::PerfEventTarget;
pub(super) use prog_attach::{ProgAttachment, TcAttachment};
pub(super) use struct_ops::Registration;
pub use target::{KprobeEvent, KprobeTarget, Mechanism, UprobePlace, UprobeTarget};
pub use tc::TcTarget;
pub(super) use tracefs_event::TracefsEvent;
pub use usdt::UsdtTarget;
pub use usdt_source::UsdtSource;
pub use user_functions::{UserFunction, find_user_file, user_functions};
pub use xdp::remove_xdp;
