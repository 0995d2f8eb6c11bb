// SPDX-License-Identifier: Apache-2.0
//! Element operations on maps, with the buffers' sizes checked by the caller's types.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::check;

/// How many CPUs this kernel can ever have: the number of values of a per-CPU map.
pub fn possible_cpus() -> io::Result<usize> {
    // SAFETY: takes no arguments.
    Ok(check(unsafe { libbpf_sys::libbpf_num_possible_cpus() })? as usize)
}

/// Copies the value of `key` into `value`, which must have the map's lookup size.
pub fn lookup(map: BorrowedFd<'_>, key: &[u8], value: &mut [u8]) -> io::Result<()> {
    // SAFETY: `Map` checked that `key` and `value` have the sizes that the kernel reads and writes.
    check(unsafe { libbpf_sys::bpf_map_lookup_elem(map.as_raw_fd(), key.as_ptr().cast(), value.as_mut_ptr().cast()) })
        .map(drop)
}

/// Takes the value of `key` out of the map (also `pop` of a queue, with an empty key).
pub fn lookup_and_delete(map: BorrowedFd<'_>, key: &[u8], value: &mut [u8]) -> io::Result<()> {
    // SAFETY: as in `lookup`; a queue has no key and the kernel wants a null pointer for it.
    check(unsafe {
        libbpf_sys::bpf_map_lookup_and_delete_elem(map.as_raw_fd(), pointer(key), value.as_mut_ptr().cast())
    })
    .map(drop)
}

/// Reads the head of a queue or stack.
pub fn peek(map: BorrowedFd<'_>, value: &mut [u8]) -> io::Result<()> {
    // SAFETY: `Map` checked the size of `value`; a queue has no key.
    check(unsafe { libbpf_sys::bpf_map_lookup_elem(map.as_raw_fd(), ptr::null(), value.as_mut_ptr().cast()) }).map(drop)
}

/// Sets the value of `key` (also `push`, with an empty key).
pub fn update(map: BorrowedFd<'_>, key: &[u8], value: &[u8], flags: u64) -> io::Result<()> {
    // SAFETY: `Map` checked that `key` and `value` have the sizes that the kernel reads.
    check(unsafe { libbpf_sys::bpf_map_update_elem(map.as_raw_fd(), pointer(key), value.as_ptr().cast(), flags) })
        .map(drop)
}

/// Deletes `key`.
pub fn delete(map: BorrowedFd<'_>, key: &[u8]) -> io::Result<()> {
    // SAFETY: `Map` checked the size of `key`.
    check(unsafe { libbpf_sys::bpf_map_delete_elem(map.as_raw_fd(), key.as_ptr().cast()) }).map(drop)
}

/// Writes the key after `key` (or the first) to `next`.
pub fn next_key(map: BorrowedFd<'_>, key: Option<&[u8]>, next: &mut [u8]) -> io::Result<()> {
    let key = key.map_or(ptr::null(), <[u8]>::as_ptr);
    // SAFETY: `Map` checked that `key` and `next` have the key's size; the kernel takes null for "before the first".
    check(unsafe { libbpf_sys::bpf_map_get_next_key(map.as_raw_fd(), key.cast(), next.as_mut_ptr().cast()) }).map(drop)
}

/// The kernel wants null where a map has no key.
fn pointer(key: &[u8]) -> *const std::ffi::c_void {
    if key.is_empty() { ptr::null() } else { key.as_ptr().cast() }
}
