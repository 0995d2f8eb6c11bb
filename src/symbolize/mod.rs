// SPDX-License-Identifier: Apache-2.0
//! Addresses and names: what function an address lies in, and where a function of that name is.
//!
//! [`Symbols`] is the door. Kernel addresses are answered from the kernel room's copy of `/proc/kallsyms`; addresses of a
//! process from the files that it has mapped, from the perf map of its JIT compiler, and from the vDSO. What was learned
//! of a process outlives it. What is kept is bounded, in processes and in files.
//!
//! | question | module |
//! |---|---|
//! | what an answer is, and its text | [`symbol`] |
//! | kernel addresses | [`kernel`] |
//! | the names in an ELF file, its debug file, its lines | [`elf`] |
//! | which files are kept | [`files`] |
//! | what a process has mapped | [`process`] |
//! | where a program has USDT probes, with which arguments | [`usdt`] |
//! | frames that the kernel gave as build ID and offset | [`build_id`] |

pub mod build_id;
mod demangle;
pub mod elf;
pub mod files;
pub mod kernel;
mod lru;
pub mod process;
pub mod symbol;
mod symbols;
pub mod usdt;

pub use demangle::demangle;
pub use symbols::Symbols;
