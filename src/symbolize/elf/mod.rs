// SPDX-License-Identifier: Apache-2.0
//! ELF files: which names they hold, and which other file has the names they lack.
//!
//! [`Image`] is one file as processes map it. Names come from its symbol table, or, when it was stripped, from its debug
//! file (found by build ID or debug link), from its `.gnu_debugdata`, from what it exports; in this order.

mod bytes;
mod debug_file;
mod exports;
mod facts;
mod functions;
mod image;
mod names;

pub use bytes::FileBytes;
pub use facts::ElfFacts;
pub use functions::{FunctionNames, function_names};
pub use image::{Function, Image, Place};
pub(in crate::symbolize) use image::{function_in_vdso, offset_of};
