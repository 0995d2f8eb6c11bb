// SPDX-License-Identifier: Apache-2.0
//! Facts read from the machine.

pub mod btf;
pub mod features;
pub mod kallsyms;
pub mod pattern;
pub mod release;
mod sys;
pub mod syscalls;
pub mod traceable;
pub mod tracefs;
