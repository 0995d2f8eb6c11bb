// SPDX-License-Identifier: Apache-2.0
//! The passes over LLVM's form of the user's text, in the order they run:
//!
//! 1. [`packet_fields`] and [`packet_headers`] mark what the text does with packet headers; [`bit_fields`] brings clang and
//!    the loader together.
//! 2. [`entries`] turns the user's functions into programs: extra parameters become reads of the context. Then LLVM
//!    optimises; everything is inlined. [`assembly`] finds what real kernel headers brought with them, [`tables`] where a
//!    map's table is not called but handed on.
//! 3. [`events`] notes which struct each buffer carries; [`formats`] warns of what the kernel does not print.
//! 4. [`packet`] replaces those marks, [`packet_memory`] tells headers in memory from those in the packet; [`late`] moves
//!    the reads of arguments to where they are used.
//! 5. [`variants`] copies each probe for the other mechanisms that can serve it.
//! 6. [`copies`] puts on the stack what calls want to have in memory that the verifier follows, and [`strings`] writes out
//!    what compares strings.
//! 7. [`reads`] turns loads through kernel and user pointers into helper calls. [`flow`] tells which those are: it follows
//!    [`pointees`] through the module, with what [`helpers`] says of the kernel's helpers and [`objects`] of its types.
//! 8. [`division`] divides signed numbers with what every kernel has.
//! 9. [`ranges`] keeps LLVM from relying on what the verifier does not know.

pub mod assembly;
pub mod bit_fields;
pub mod copies;
pub mod division;
pub mod entries;
pub mod events;
pub mod flow;
mod flow_calls;
pub mod formats;
pub mod helpers;
pub mod late;
pub mod objects;
pub mod packet;
pub mod packet_fields;
pub mod packet_headers;
mod packet_memory;
pub mod pointees;
pub mod program;
pub mod ranges;
pub mod reads;
pub mod recursion;
mod refusal;
mod slots;
pub mod strings;
pub mod tables;
pub mod usdt;
pub mod variants;
