// SPDX-License-Identifier: Apache-2.0
//! The only system calls of this room that the standard library has no function for, behind safe functions. All of the
//! room's `unsafe` is here. The feature probes need bpf(2) in its raw form: a library that retries, falls back and
//! probes by itself would hide the very answer that is asked for.

mod attr;
pub(in crate::kernel) mod bpf;
pub(in crate::kernel) mod os;
pub(in crate::kernel) mod perf;
