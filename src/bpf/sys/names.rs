// SPDX-License-Identifier: Apache-2.0
//! libbpf's names of types.

use std::ffi::{CStr, CString, c_char};

/// The name of a program type: `sched_cls`.
pub fn prog_type(number: u32) -> Option<&'static str> {
    // SAFETY: takes a number; gives null or a string of libbpf's own table.
    unsafe { static_str(libbpf_sys::libbpf_bpf_prog_type_str(number)) }
}

/// The name of an attach type: `cgroup_inet_egress`.
pub fn attach_type(number: u32) -> Option<&'static str> {
    // SAFETY: takes a number; gives null or a string of libbpf's own table.
    unsafe { static_str(libbpf_sys::libbpf_bpf_attach_type_str(number)) }
}

/// The name of a type of link: `perf_event`.
pub fn link_type(number: u32) -> Option<&'static str> {
    // SAFETY: takes a number; gives null or a string of libbpf's own table.
    unsafe { static_str(libbpf_sys::libbpf_bpf_link_type_str(number)) }
}

/// The program type and attach type that a section's name stands for.
pub fn types_of_section(section: &str) -> Option<(u32, u32)> {
    let section = CString::new(section).ok()?;
    let (mut prog, mut attach) = (0, 0);
    // SAFETY: the string ends in NUL and outlives the call; the others are numbers to write.
    let found = unsafe { libbpf_sys::libbpf_prog_type_by_name(section.as_ptr(), &mut prog, &mut attach) };
    (found == 0).then_some((prog, attach))
}

/// # Safety
/// `text` is null or a C string that is never freed.
unsafe fn static_str(text: *const c_char) -> Option<&'static str> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_str().ok()
}
