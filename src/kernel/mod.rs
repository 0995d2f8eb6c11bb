// SPDX-License-Identifier: Apache-2.0
//! Facts read from the machine: what the kernel is made of, what it can do, what this process may do with it.
//!
//! | question | module |
//! |---|---|
//! | which kernel, built how | [`release`], [`config`], [`modules`], [`cpus`] |
//! | its types | [`btf`] |
//! | its symbols, and which functions can be traced | [`kallsyms`], [`traceable`], [`pattern`] |
//! | its system calls | [`syscalls`] |
//! | its tracepoints | [`tracefs`] |
//! | its network devices | [`devices`] |
//! | who holds BPF programs and maps | [`bpf_holders`] |
//! | what it can do | [`features`] |
//! | what we may do | [`privilege`] |
//! | all of it for a person | [`report`] |
//!
//! Parsers take readers or text and never panic; a thin function beside each knows the path. Nothing is printed and, but
//! for tracefs when it is asked for, nothing is mounted. What is dear to read is read when first needed and kept for the
//! process; `forget` functions drop what is large.

pub mod bpf_holders;
pub mod btf;
pub mod config;
pub mod cpus;
pub mod devices;
pub mod features;
pub mod header_names;
pub mod headers;
pub mod kallsyms;
pub mod module_files;
pub mod modules;
mod packed;
pub mod pattern;
pub mod privilege;
mod pseudo_files;
pub mod release;
pub mod report;
mod sys;
pub mod syscalls;
pub mod traceable;
pub mod tracefs;
