// SPDX-License-Identifier: Apache-2.0
//! C types of an object, as LuaJIT's FFI takes them: BTF in, self-contained declarations out.
//!
//! A declaration names nothing but C's own types, so it can neither clash with nor depend on what a script declares. The
//! structs inside a struct are types of their own, so that a script can use them by themselves.
//! Its layout is BTF's, byte for byte, and leaves nothing to LuaJIT's own rules: structs are packed, padding is written
//! out. Pointers are `uint64_t` (they are the kernel's, not ours), enums are integers with their names kept aside,
//! `__int128` is two halves. What LuaJIT has no declaration for (a bit-field across 32-bit units) is padding there and
//! a [`Field`] with its place all the same.

mod declare;
mod describe;
mod identity;
mod table;
#[cfg(test)]
mod tests;

pub use describe::{CType, Field, Shape, describe};
