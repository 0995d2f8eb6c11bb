// SPDX-License-Identifier: Apache-2.0
//! BTF that the kernel holds: of its modules, which a program that traces one of their functions names by descriptor, and
//! of programs.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use super::{check, check_fd};

/// The BTF with this number, of a program.
pub fn read(id: u32) -> io::Result<Vec<u8>> {
    // SAFETY: takes a number.
    let fd = check_fd(unsafe { libbpf_sys::bpf_btf_get_fd_by_id(id) })?;
    let mut bytes = Vec::new();
    // The first time the kernel says how long it is.
    for _ in 0..2 {
        let mut info = libbpf_sys::bpf_btf_info {
            btf: if bytes.is_empty() { 0 } else { bytes.as_mut_ptr() as u64 },
            btf_size: bytes.len() as u32,
            ..Default::default()
        };
        let mut len = size_of::<libbpf_sys::bpf_btf_info>() as u32;
        // SAFETY: `info` is a `bpf_btf_info` of `len` bytes whose only array is `bytes`, with its length beside it.
        check(unsafe { libbpf_sys::bpf_btf_get_info_by_fd(fd.as_raw_fd(), &mut info, &mut len) })?;
        bytes.resize(info.btf_size as usize, 0_u8);
    }
    Ok(bytes)
}

/// A descriptor of the BTF of a loaded kernel module.
pub fn open_kernel_module(name: &str) -> io::Result<OwnedFd> {
    let mut id = 0;
    loop {
        // SAFETY: `id` is a number to read and write.
        check(unsafe { libbpf_sys::bpf_btf_get_next_id(id, &mut id) })?;
        // SAFETY: takes no pointers.
        let Ok(fd) = check_fd(unsafe { libbpf_sys::bpf_btf_get_fd_by_id(id) }) else { continue };
        let mut buffer = [0_u8; 64];
        let mut info = libbpf_sys::bpf_btf_info {
            name: buffer.as_mut_ptr() as u64,
            name_len: buffer.len() as u32,
            ..Default::default()
        };
        let mut len = size_of::<libbpf_sys::bpf_btf_info>() as u32;
        // SAFETY: `info` is a `bpf_btf_info` of `len` bytes whose only array is `buffer`, with its length beside it.
        let told = check(unsafe { libbpf_sys::bpf_btf_get_info_by_fd(fd.as_raw_fd(), &mut info, &mut len) });
        let found = buffer.split(|byte| *byte == 0).next().unwrap_or_default();
        if told.is_ok() && info.kernel_btf != 0 && found == name.as_bytes() {
            return Ok(fd);
        }
    }
}
