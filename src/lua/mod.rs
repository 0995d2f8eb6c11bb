// SPDX-License-Identifier: Apache-2.0
//! Lua: the VM, the scripts that run in it, and everything they can call.
//!
//! All of mlua is in this room. Rust carries what is not hot (compile, attach, options, errors) through functions made
//! by [`errors::function`]; what is hot (events, map elements) goes through LuaJIT's FFI, by function pointers that the
//! `events` and `bpf` rooms export. The API that a script sees is written in Lua, in `scripts/lib/`.
//!
//! - [`vm`]: makes a VM and runs a script in it; [`script`]: where its text comes from
//! - [`errors`]: [`crate::error::Error`] on its way through Lua and back
//! - [`host`]: what the command line decided, seen by the natives
//! - [`prompt`]: what a person at a terminal is to Lua; `repl` has the terminal
//! - [`natives`]: one binding per file

pub mod ctype;
pub mod errors;
pub mod host;
pub mod prompt;
pub mod script;
pub mod vm;

pub mod compile;

mod failure;
mod interrupt;
mod natives;
mod require;
mod results;
mod syntax;

pub use host::{BccLua, Checked, Generated, PackEntry, Settings, Task};
pub use natives::check as check_text;
pub use script::Script;
pub use syntax::Syntax;
pub use vm::{End, Vm, luajit_version};
