// SPDX-License-Identifier: Apache-2.0
//! The argument block of bpf(2) and perf_event_open(2), filled by offset.

use std::marker::PhantomData;

/// An argument block. The kernel takes any size whose unknown end is zero, so one length serves old and new kernels.
///
/// Pointers are put in only as borrowed slices, so that what they point to outlives the block.
#[repr(C, align(8))]
pub(super) struct Attr<'a> {
    bytes: [u8; Attr::SIZE],
    borrowed: PhantomData<&'a mut [u8]>,
}

impl<'a> Attr<'a> {
    /// Long enough for all that the probes set.
    pub(super) const SIZE: usize = 144;

    pub(super) fn new() -> Self {
        Attr { bytes: [0; Attr::SIZE], borrowed: PhantomData }
    }

    fn put(mut self, offset: usize, bytes: &[u8]) -> Self {
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
        self
    }

    pub(super) fn u32(self, offset: usize, value: u32) -> Self {
        self.put(offset, &value.to_ne_bytes())
    }

    pub(super) fn i32(self, offset: usize, value: i32) -> Self {
        self.put(offset, &value.to_ne_bytes())
    }

    pub(super) fn u64(self, offset: usize, value: u64) -> Self {
        self.put(offset, &value.to_ne_bytes())
    }

    /// A pointer the kernel reads through.
    pub(super) fn pointer<T>(self, offset: usize, data: &'a [T]) -> Self {
        self.u64(offset, data.as_ptr() as u64)
    }

    /// A pointer the kernel writes through.
    pub(super) fn buffer(self, offset: usize, data: &'a mut [u8]) -> Self {
        self.u64(offset, data.as_mut_ptr() as u64)
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.bytes.as_mut_ptr()
    }
}
