// SPDX-License-Identifier: Apache-2.0
//! C declarations of kernel types, from BTF: as few as the probe text needs.
//!
//! A full `vmlinux.h` has 130,000 lines and takes clang half a second; [`declarations`] writes what one text needs,
//! usually some dozens of lines. It rests on one observation: a member that the text does not name cannot be accessed by
//! it. So
//!
//! - a type whose bytes the program *holds* (`struct path p;`, a map's value, a member of the text's own struct) is
//!   written in full, with all types inside it: Lua may ask for any of its members;
//! - a type the program only *points to* is written with the members whose names the text uses, and padding between;
//! - a pointer member is followed only where the text uses its name.
//!
//! Sizes, offsets and alignments are exactly the kernel's in all cases (`layout_assertions` proves it), and everything
//! carries `preserve_access_index`, so that offsets are relocated on other kernels. Types, names and macros that the text
//! defines itself are left alone: a kernel type that contains such a type by value gets the kernel's one under the name
//! `NAME___kernel`, which CO-RE reads as `NAME`.
//!
//! ```
//! use bpflua::compiler::types::{Defined, Request, declarations};
//! use bpflua::kernel::btf::Btf;
//! # let object = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/btf/layouts.o"));
//! let btf = Btf::from_elf(object)?;
//! let text = "int f(struct node *n) { return n->list.prev->next != 0; }";
//! let found = declarations(&btf, &Request { texts: &[text], ..Request::default() });
//! assert!(found.text.contains("struct list {"));
//! assert!(!found.text.contains("callback"));
//! # Ok::<(), bpflua::error::Error>(())
//! ```

mod absent;
mod assertions;
mod body;
mod closure;
mod declarator;
mod defined;
mod enums;
mod lexer;
mod mentions;
mod moved;
mod naming;
mod request;
mod similar;
mod writer;

pub use absent::{ABSENT_PREFIX, Absent, Questions};
pub use assertions::{layout_assertions, vmlinux_assertions};
pub use defined::Defined;
pub use moved::members_elsewhere;
pub use request::{Declarations, Request, declarations, vmlinux_h};
pub use similar::members_like;
