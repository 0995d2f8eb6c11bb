// SPDX-License-Identifier: Apache-2.0
//! C text in, BPF object out.
//!
//! The dialect is plain C over the headers in `bpf-include/`; the kernel's types are written out from its BTF
//! ([`types`]); clang runs inside the process ([`shim`]); [`passes`] over LLVM's form do what bcc's rewriting of the
//! text did. [`compile()`] is the whole of it, [`cache`] stands before it.
//!
//! The room is told everything: it reads neither `/proc` nor `/sys`, and makes no BPF system call.

pub mod arch;
mod arguments;
mod backend;
pub mod cache;
mod compile;
mod complete;
mod configured;
pub mod diagnostic;
mod dictionary;
mod ended;
mod explain;
mod frontend;
mod includes;
mod ir;
mod isolate;
pub mod modules;
mod options;
mod passes;
mod prelude;
mod second_look;
mod shim;
mod shown;
pub mod source;
mod stage;
mod tracepoints;
pub mod types;

pub use compile::{Compiled, compile};
pub use complete::{Completions, Word, complete};
pub use isolate::await_ends;
pub use options::{InHeaders, Limits, Modules, NoModules, Options};
pub use shim::version;
pub use shown::{Shown, Wanted};
pub use source::Source;
