// SPDX-License-Identifier: Apache-2.0
//! The kernel's symbols, from `/proc/kallsyms`.
//!
//! Reading the file costs the kernel some 50 ms and gives 100,000 to 300,000 lines, so it is read once, when first
//! needed, and kept as one run of bytes with a small record per symbol (some 30 bytes in all). [`shared()`] is that copy;
//! [`forget`] drops it, for a tracer that runs on for days and does not need it any more.
//!
//! ```
//! use bpflua::kernel::kallsyms::Kallsyms;
//! let text = "ffffffff813a2380 t finish_task_switch.isra.0\nffffffffc0001000 t fuse_open\t[fuse]\n";
//! let symbols = Kallsyms::parse(text.as_bytes())?;
//! assert_eq!(symbols.variants("finish_task_switch"), ["finish_task_switch.isra.0"]);
//! assert_eq!(symbols.find("fuse_open").unwrap().kernel_module, Some("fuse"));
//! # Ok::<(), std::io::Error>(())
//! ```

mod by_address;
mod index;
mod parser;
mod shared;
mod table;

pub use shared::{PATH, first_existing, forget, note_change, refresh, shared, shared_with};
pub use table::{Kallsyms, Located, Symbol, is_variant_of};
