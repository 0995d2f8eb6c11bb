// SPDX-License-Identifier: Apache-2.0
//! The kernel's tracing file system: where it is, which tracepoints there are, how their records are laid out.
//!
//! ```
//! use bpflua::kernel::tracefs::Tracefs;
//! let tracefs = Tracefs::at("tests/fixtures/tracefs");
//! assert!(tracefs.has_tracepoint("sched", "sched_switch"));
//! let format = tracefs.format("irq", "softirq_entry")?;
//! assert_eq!(format.c_struct(), "\
//! struct tracepoint__irq__softirq_entry {
//! \tu64 __do_not_use__;
//! \tunsigned int vec;
//! };
//! ");
//! # Ok::<(), bpflua::error::Error>(())
//! ```

mod c_struct;
mod events;
mod format;
mod mount;

pub use events::split_struct_name;
pub use format::{DataLocation, TracepointField, TracepointFormat};
pub use mount::Tracefs;
