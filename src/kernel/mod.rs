// SPDX-License-Identifier: Apache-2.0
//! Facts read from the machine.

pub mod btf;
pub mod config;
pub mod cpus;
pub mod features;
pub mod kallsyms;
pub mod modules;
pub mod pattern;
pub mod privilege;
mod pseudo_files;
pub mod release;
pub mod report;
mod sys;
pub mod syscalls;
pub mod traceable;
pub mod tracefs;
