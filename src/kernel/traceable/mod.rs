// SPDX-License-Identifier: Apache-2.0
//! Which kernel functions can be traced, and why another cannot.
//!
//! Three lists tell: the symbols (what exists), the function tracer's `available_filter_functions` (where fentry,
//! kprobe-multi and on most kernels kprobes can hook) and the kprobe blacklist (where the kernel refuses). The last two
//! may be out of reach; then what they would say is unknown and nothing is held against a function.
//!
//! ```
//! use bpflua::kernel::{kallsyms::Kallsyms, traceable::TraceableFunctions};
//! use std::sync::Arc;
//! let symbols = Kallsyms::parse(&b"1 T vfs_read\n2 T vfs_readv\n3 t vfs_read.cold\n"[..])?;
//! let functions = TraceableFunctions::new(Arc::new(symbols));
//! assert_eq!(functions.matching("vfs_re.*").unwrap(), ["vfs_read", "vfs_readv"]);
//! let why = functions.why_not("vfs_raed").unwrap();
//! assert_eq!(why.error("cannot attach kprobe to `vfs_raed`").hints(), ["similar: vfs_read, vfs_readv"]);
//! # Ok::<(), std::io::Error>(())
//! ```

mod functions;
mod lists;
mod named;
mod shared;
mod similar;
mod untraceable;

pub use functions::{ListState, TraceableFunctions};
pub use named::{NamedFunction, all_functions, functions_like};
pub use shared::{forget, shared};
pub use untraceable::{Reason, Untraceable};
