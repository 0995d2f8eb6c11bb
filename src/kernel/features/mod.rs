// SPDX-License-Identifier: Apache-2.0
//! What this kernel can do, found out by trying each thing once.
//!
//! Versions are never compared: distributions bring features to old kernels, and a new kernel refuses what its
//! configuration, lockdown or a sandbox takes away. Each probe does the smallest thing that uses the feature, to the
//! end (a program is loaded *and* attached, for a moment), and keeps the answer for the life of the process.
//!
//! ```
//! use bpflua::kernel::features::{Feature, Support, supports};
//! match supports(Feature::RingBuffer) {
//!     Support::Supported => println!("ring buffers work"),
//!     Support::Unsupported { errno, why } => println!("no ring buffers: {why} ({errno:?})"),
//! }
//! ```

mod feature;
mod insns;
mod maps;
mod perf;
mod programs;
mod support;
mod words;

pub use feature::{Feature, supports};
pub use support::Support;
pub use words::{Need, TESTED_KERNELS};
