// SPDX-License-Identifier: Apache-2.0
//! Where a program counts the records that did not fit into a ring buffer: the kernel does not.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use super::sys;
use crate::error::{Error, Result};

/// A `u64` in the value 0 of an array, or one for each CPU in that of a per-CPU array.
#[derive(Debug)]
pub struct LostCounter {
    map: OwnedFd,
    /// Bytes that one lookup gives.
    lookup_size: usize,
    /// Bytes between two CPUs' values; as many as there are when there is one value.
    stride: usize,
    offset: usize,
}

impl LostCounter {
    /// The counter at a byte offset in the value 0 of a map.
    pub fn new(map: BorrowedFd<'_>, offset: usize) -> Result<LostCounter> {
        let what = "cannot count the losses of a ring buffer";
        let facts = sys::map_facts(map.as_raw_fd()).map_err(|err| Error::io(what, &err))?;
        let stride = (facts.value_size as usize).next_multiple_of(8);
        // SAFETY: no preconditions.
        let cpus = unsafe { libbpf_sys::libbpf_num_possible_cpus() }.max(1) as usize;
        let values = match facts.type_ {
            libbpf_sys::BPF_MAP_TYPE_PERCPU_ARRAY => cpus,
            libbpf_sys::BPF_MAP_TYPE_ARRAY => 1,
            _ => return Err(Error::bug(what, "the map for it is no array")),
        };
        if offset + 8 > facts.value_size as usize {
            return Err(Error::bug(what, "the counter is beyond the map's value"));
        }
        let map = map.try_clone_to_owned().map_err(|err| Error::io(what, &err))?;
        Ok(LostCounter { map, lookup_size: stride * values, stride, offset })
    }

    /// What the program counted, over all CPUs.
    pub fn read(&self) -> u64 {
        let (key, mut values) = (0_u32, vec![0_u8; self.lookup_size]);
        let (key, value) = ((&raw const key).cast(), values.as_mut_ptr().cast());
        // SAFETY: the kernel reads 4 bytes of key and writes what one lookup of this map gives, which is `lookup_size`.
        if unsafe { libbpf_sys::bpf_map_lookup_elem(self.map.as_raw_fd(), key, value) } < 0 {
            return 0;
        }
        let one = |value: &[u8]| value[self.offset..self.offset + 8].try_into().map_or(0, u64::from_ne_bytes);
        values.chunks_exact(self.stride).map(one).sum()
    }
}
