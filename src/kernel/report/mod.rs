// SPDX-License-Identifier: Apache-2.0
//! What this machine can do and cannot do for tracing, and what to do about it: the data behind `bpflua doctor`.
//!
//! Every row says what was found by trying or reading, and every advice is true of this machine: it is given only when
//! what it relies on was found too.
//!
//! ```
//! use bpflua::kernel::report::{MachineReport, Verdict};
//! let report = MachineReport::collect();
//! for section in &report.sections {
//!     for row in section.rows.iter().filter(|row| row.verdict == Verdict::Missing) {
//!         println!("{}: {}", row.topic, row.found);
//!     }
//! }
//! ```

mod access;
mod attaching;
mod data;
mod facts;
mod machine;
mod row;

pub use machine::MachineReport;
pub use row::{Row, Section, Verdict};
