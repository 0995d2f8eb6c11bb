// SPDX-License-Identifier: Apache-2.0
//! bpflua embeds LuaJIT, compiles BCC-dialect C inside its own process, loads it into the Linux kernel and hands the
//! data to Lua.
//!
//! The crate is the `bpflua` command cut into rooms; `ARCHITECTURE.md` is the map. Imports point one way:
//!
//! ```text
//! main -> cli -> repl -> lua -> { events, probes -> bpf -> symbolize -> kernel, compiler, packs, report } -> error
//! ```

pub mod bpf;
pub mod cli;
mod colour;
#[cfg(feature = "compiler")]
pub mod compiler;
mod digits;
pub mod error;
pub mod events;
pub mod fuzzy;
pub mod kernel;
pub mod lua;
pub mod packs;
pub mod probes;
pub mod repl;
pub mod report;
mod resident;
pub mod suggest;
pub mod symbolize;
mod timings;
