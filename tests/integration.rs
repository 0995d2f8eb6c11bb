// SPDX-License-Identifier: Apache-2.0
//! Tests over the whole program. Those that need root or a kernel feature say so when they are skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::too_many_lines,
    reason = "a test fails by panicking, and tells what it skips"
)]

mod suite;
