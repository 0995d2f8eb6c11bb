// SPDX-License-Identifier: Apache-2.0
//! LLVM's C API as values with lifetimes: what the passes need and no more.
//!
//! All `unsafe` of the compiler but the shim's is in this folder. A [`Value`] borrows from its [`Context`], so that it
//! cannot outlive the module's memory; erasing an instruction and using its handle afterwards is the one mistake the
//! types do not catch, and the passes erase last.

mod access;
mod arithmetic;
mod builder;
mod constant;
mod debug;
mod layout;
mod marks;
mod module;
mod records;
mod target;
mod value;
mod variables;

pub use access::{CoreAccess, Record, Step};
pub use builder::Builder;
pub use module::{Context, Module};
pub use target::Target;
pub use value::{Block, Opcode, Type, Value};
pub use variables::Pointee;
