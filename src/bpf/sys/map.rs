// SPDX-License-Identifier: Apache-2.0
//! Element operations on maps, with the buffers' sizes checked by the caller's types.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;

use super::super::map_kind::MapKind;
use super::object::RawMap;
use super::{check, check_fd};

/// A map's type and sizes.
#[derive(Clone, Copy, Debug)]
pub struct MapInfo {
    /// Its type.
    pub kind: MapKind,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
    /// Elements.
    pub max_entries: u32,
    /// `BPF_F_*`.
    pub flags: u32,
}

impl MapInfo {
    /// The flags without those that the kernel adds of its own.
    pub fn flags_as_declared(&self) -> u32 {
        if self.kind.is_devmap() { self.flags & !libbpf_sys::BPF_F_RDONLY_PROG } else { self.flags }
    }
}

impl From<&RawMap> for MapInfo {
    fn from(map: &RawMap) -> MapInfo {
        MapInfo {
            kind: MapKind(map.kind),
            key_size: map.key_size,
            value_size: map.value_size,
            max_entries: map.max_entries,
            flags: map.flags,
        }
    }
}

/// Whether this kernel knows maps of this type: one is created and dropped. `None` when that cannot be told.
pub fn knows(kind: MapKind) -> Option<bool> {
    // SAFETY: takes a number; null stands for no options.
    match unsafe { libbpf_sys::libbpf_probe_bpf_map_type(kind.0, ptr::null()) } {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// Asks the kernel about a map; `EINVAL` when the descriptor is of something else.
pub fn info(map: BorrowedFd<'_>) -> io::Result<MapInfo> {
    let mut info = libbpf_sys::bpf_map_info::default();
    let mut len = size_of::<libbpf_sys::bpf_map_info>() as u32;
    // SAFETY: `info` is a zeroed `bpf_map_info` of `len` bytes.
    check(unsafe { libbpf_sys::bpf_map_get_info_by_fd(map.as_raw_fd(), &mut info, &mut len) })?;
    Ok(MapInfo {
        kind: MapKind(info.type_),
        key_size: info.key_size,
        value_size: info.value_size,
        max_entries: info.max_entries,
        flags: info.map_flags,
    })
}

/// Creates a map without a name and without types; one without elements gets one for each CPU, as libbpf does it.
pub fn create(info: &MapInfo) -> io::Result<OwnedFd> {
    let max_entries = match info.max_entries {
        0 if info.kind == MapKind::PERF_EVENT_ARRAY => possible_cpus()? as u32,
        max_entries => max_entries,
    };
    let opts = libbpf_sys::bpf_map_create_opts {
        sz: size_of::<libbpf_sys::bpf_map_create_opts>() as _,
        map_flags: info.flags,
        ..Default::default()
    };
    // SAFETY: a null name is none; `opts` outlives the call and has the size it says.
    check_fd(unsafe {
        libbpf_sys::bpf_map_create(
            info.kind.0,
            ptr::null(),
            info.key_size,
            info.value_size,
            max_entries,
            &raw const opts,
        )
    })
}

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
