// SPDX-License-Identifier: Apache-2.0
//! Going through everything that the kernel holds, by the numbers that it gives programs, maps and links.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use super::{check, check_fd};

/// What is numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbered {
    /// Programs.
    Program,
    /// Maps.
    Map,
    /// Links.
    Link,
}

/// The number after this one; none at the end.
pub fn next_id(of: Numbered, after: u32) -> io::Result<Option<u32>> {
    let mut next = 0;
    // SAFETY: each takes a number and a number to write.
    let ret = unsafe {
        match of {
            Numbered::Program => libbpf_sys::bpf_prog_get_next_id(after, &raw mut next),
            Numbered::Map => libbpf_sys::bpf_map_get_next_id(after, &raw mut next),
            Numbered::Link => libbpf_sys::bpf_link_get_next_id(after, &raw mut next),
        }
    };
    match check(ret) {
        Ok(_) => Ok(Some(next)),
        Err(err) if err.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(err) => Err(err),
    }
}

/// A descriptor for what has this number; `ENOENT` when it is gone.
pub fn open(of: Numbered, id: u32) -> io::Result<OwnedFd> {
    // SAFETY: each takes a number.
    check_fd(unsafe {
        match of {
            Numbered::Program => libbpf_sys::bpf_prog_get_fd_by_id(id),
            Numbered::Map => libbpf_sys::bpf_map_get_fd_by_id(id),
            Numbered::Link => libbpf_sys::bpf_link_get_fd_by_id(id),
        }
    })
}

/// What the kernel says of a program beyond what [`super::prog::info`] gives.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// `BPF_PROG_TYPE_*`
    pub kind: u32,
    /// Up to 15 characters of its name.
    pub name: String,
    /// When it was loaded, in nanoseconds of the boot-time clock.
    pub loaded_ns: u64,
    /// The user who loaded it.
    pub uid: u32,
    /// Bytes of its instructions after the verifier.
    pub xlated_bytes: u32,
    /// Bytes of machine code; 0 when it is interpreted.
    pub jited_bytes: u32,
    /// Runs, while they were counted.
    pub runs: u64,
    /// Nanoseconds of these.
    pub time_ns: u64,
    /// Runs left out.
    pub missed: u64,
}

/// Asks about a program.
pub fn program(fd: BorrowedFd<'_>) -> io::Result<Program> {
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut len = size_of::<libbpf_sys::bpf_prog_info>() as u32;
    // SAFETY: `info` is a zeroed `bpf_prog_info` of `len` bytes that asks for no arrays.
    check(unsafe { libbpf_sys::bpf_prog_get_info_by_fd(fd.as_raw_fd(), &raw mut info, &raw mut len) })?;
    Ok(Program {
        kind: info.type_,
        name: text(&info.name),
        loaded_ns: info.load_time,
        uid: info.created_by_uid,
        xlated_bytes: info.xlated_prog_len,
        jited_bytes: info.jited_prog_len,
        runs: info.run_cnt,
        time_ns: info.run_time_ns,
        missed: info.recursion_misses,
    })
}

/// The numbers of the maps that a program uses.
pub fn maps_of(fd: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut len = size_of::<libbpf_sys::bpf_prog_info>() as u32;
    // SAFETY: `info` is a zeroed `bpf_prog_info` of `len` bytes that asks for no arrays.
    check(unsafe { libbpf_sys::bpf_prog_get_info_by_fd(fd.as_raw_fd(), &raw mut info, &raw mut len) })?;
    let mut ids = vec![0_u32; info.nr_map_ids as usize];
    let mut info = libbpf_sys::bpf_prog_info {
        nr_map_ids: ids.len() as u32,
        map_ids: ids.as_mut_ptr() as u64,
        ..Default::default()
    };
    // SAFETY: `map_ids` points to as many numbers as `nr_map_ids` says; nothing else is asked for.
    check(unsafe { libbpf_sys::bpf_prog_get_info_by_fd(fd.as_raw_fd(), &raw mut info, &raw mut len) })?;
    ids.truncate(info.nr_map_ids as usize);
    Ok(ids)
}

/// What the kernel says of a map.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// Its number.
    pub id: u32,
    /// `BPF_MAP_TYPE_*`
    pub kind: u32,
    /// Up to 15 characters of its name.
    pub name: String,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
    /// Elements at most.
    pub max_entries: u32,
    /// `BPF_F_*`
    pub flags: u32,
}

/// Asks about a map.
pub fn map(fd: BorrowedFd<'_>) -> io::Result<Map> {
    let mut info = libbpf_sys::bpf_map_info::default();
    let mut len = size_of::<libbpf_sys::bpf_map_info>() as u32;
    // SAFETY: `info` is a zeroed `bpf_map_info` of `len` bytes.
    check(unsafe { libbpf_sys::bpf_map_get_info_by_fd(fd.as_raw_fd(), &raw mut info, &raw mut len) })?;
    Ok(Map {
        id: info.id,
        kind: info.type_,
        name: text(&info.name),
        key_size: info.key_size,
        value_size: info.value_size,
        max_entries: info.max_entries,
        flags: info.map_flags,
    })
}

fn text(name: &[std::ffi::c_char]) -> String {
    name.iter().map(|&c| c as u8 as char).take_while(|&c| c != '\0').collect()
}
