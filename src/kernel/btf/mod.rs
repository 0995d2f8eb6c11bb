// SPDX-License-Identifier: Apache-2.0
//! Type data of the kernel and of BPF objects (BTF), read lazily.
//!
//! [`Btf`] owns (or maps) the bytes and an index of where each type starts; everything else is decoded when asked for.
//! Opening the running kernel's 5 MB takes under a millisecond, and looking at one type allocates nothing. Damaged input
//! never panics: a section that does not fit is an [`Error`](crate::error::Error) when opened; a type id or name that
//! points nowhere reads as [`Type::Void`] or `""`.
//!
//! ```no_run
//! use bpflua::kernel::btf::{Btf, Kind, Type};
//! # fn main() -> bpflua::error::Result<()> {
//! let btf = Btf::kernel()?;
//! if let Some(Type::Struct(task)) = btf.find(Kind::Struct, "task_struct").map(|id| btf.type_by_id(id)) {
//!     for member in task.members() {
//!         println!("{} at bit {} ({} bits)", member.name, member.bit_offset, member.bit_size);
//!     }
//! }
//! assert!(btf.struct_has_field("task_struct", "comm"));
//! assert_eq!(btf.func_by_name("vfs_read").and_then(|f| f.proto()).map(|p| p.param_count()), Some(4));
//! # Ok(())
//! # }
//! ```
//!
//! The same reader serves the kernel ([`Btf::kernel`]), its kernel modules ([`Btf::kernel_module`]), a file given by
//! `--btf` ([`Btf::open`]: raw BTF or an ELF file with a `.BTF` section) and the objects bpflua compiles
//! ([`Btf::from_elf`]).

mod beside;
mod c_name;
#[cfg(test)]
pub(crate) mod fixtures;
mod index;
mod layout;
mod merge;
mod modules;
mod names;
mod open;
mod reader;
mod search;
mod storage;
mod views;

pub use beside::{beside, quiet};
pub use layout::{FieldRef, bit_field_unit};
pub use modules::BtfFolder;
pub use open::{kernel_mentions, shared};
pub use reader::Btf;
pub use views::{
    Array, Composite, Datasec, DatasecVar, Enum, Enumerator, Func, FuncProto, Int, IntEncoding, Kind, Member, Param,
    Type, TypeId, Var,
};
