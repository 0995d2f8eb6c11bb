// SPDX-License-Identifier: Apache-2.0
//! The address space of a process: what is mapped where, and the names in it.
//!
//! [`Process`] holds on to one process, not to its number: when the number is used again, it still answers for the old one,
//! as far as it had looked.

mod folder;
mod live;
mod mappings;
mod perf_map;
mod vdso;

pub use live::Process;
pub use mappings::{Backing, Mapping, Mappings};
