// SPDX-License-Identifier: Apache-2.0
//! USDT: probes that a program's author left in it, as `sys/sdt.h` writes them down.
//!
//! A probe is a `nop` in the code and a note in the file's `.note.stapsdt` that says where it is, what it is called and
//! where its arguments are at that moment. One probe may have many locations, each with its arguments elsewhere.
//!
//! ```text
//! Probes::read(files)      the notes of one file or of all files of a process        (note, file, probes)
//!   .find("gc__start")     one probe by its name, with its provider's where two have it
//! location.arguments(..)   "-4@-20(%rbp) 8@%rax" as registers and memory            (argument, x86, aarch64)
//! ```

mod aarch64;
mod argument;
mod file;
mod note;
mod probes;
mod x86;

pub use argument::{Argument, Index, Machine, Operand, Place, RegisterPart, parse_arguments};
pub use file::{Location, UsdtFile};
pub use probes::{Probes, UsdtProbe};
