// SPDX-License-Identifier: Apache-2.0
//! What a reader hands out: a record, or why there is none; and the copy made when a record cannot be read in place.

use std::ffi::c_void;

/// A step of a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The bytes of a record, good until the reader's next step.
    Record {
        /// First byte.
        data: *const c_void,
        /// Bytes.
        len: u32,
    },
    /// The kernel says that it dropped this many records before the next one.
    Lost(u64),
    /// Nothing more for now.
    Empty,
}

/// Room for the one record that is handed out as a copy.
///
/// A consumer reads as many bytes as its type has. A record shorter than that is copied and padded with zeros, so that
/// nobody reads what does not belong to it, or past the end of the mapping.
#[derive(Debug)]
pub struct Scratch {
    /// In words of 8 bytes, for the alignment.
    words: Vec<u64>,
    min_len: usize,
}

impl Scratch {
    /// For consumers that read at least `min_len` bytes of each record.
    pub fn new(min_len: usize) -> Self {
        Scratch { words: Vec::new(), min_len }
    }

    /// Whether a record of `len` bytes is too short to be read in place.
    #[inline]
    pub fn must_pad(&self, len: usize) -> bool {
        len < self.min_len
    }

    /// Copies `head` and then `tail`, padded with zeros to the least length.
    #[cold]
    pub fn copy(&mut self, head: &[u8], tail: &[u8]) -> *const c_void {
        let len = head.len() + tail.len();
        let words = len.max(self.min_len).div_ceil(8);
        if self.words.len() < words {
            self.words.resize(words, 0);
        }
        let bytes = self.words.as_mut_ptr().cast::<u8>();
        // SAFETY: `words * 8` bytes are ours and at least `len`; the sources are not ours, so nothing overlaps.
        unsafe {
            std::ptr::copy_nonoverlapping(head.as_ptr(), bytes, head.len());
            std::ptr::copy_nonoverlapping(tail.as_ptr(), bytes.add(head.len()), tail.len());
            std::ptr::write_bytes(bytes.add(len), 0, words * 8 - len);
        }
        bytes.cast()
    }
}
