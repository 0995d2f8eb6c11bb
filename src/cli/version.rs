// SPDX-License-Identifier: Apache-2.0
//! The versions of bpflua and of what is linked into it.

/// The text of `--version`, after the program's name.
pub fn text() -> &'static str {
    concat!(env!("CARGO_PKG_VERSION"))
}
