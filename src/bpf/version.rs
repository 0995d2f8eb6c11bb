// SPDX-License-Identifier: Apache-2.0
//! The version of libbpf that is linked in.

/// `1.7`
pub fn libbpf_version() -> String {
    // SAFETY: two functions without arguments that return constants.
    let (major, minor) = unsafe { (libbpf_sys::libbpf_major_version(), libbpf_sys::libbpf_minor_version()) };
    format!("{major}.{minor}")
}
