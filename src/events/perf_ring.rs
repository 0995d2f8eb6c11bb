// SPDX-License-Identifier: Apache-2.0
//! One CPU's ring of a perf buffer: from mapped memory to records.
//!
//! The layout is that of `perf_event_open(2)`: a page with `data_head` (the kernel's) and `data_tail` (ours), then a
//! power of two of bytes. A record is `perf_event_header {u32 type; u16 misc; u16 size}` and its body, 8-aligned, so
//! a header never wraps but a body may. A sample's body is `u32 size` and the bytes, which are therefore 4-aligned.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};

use super::record::{Scratch, Step};

const DATA_HEAD: usize = 1024;
const DATA_TAIL: usize = 1032;
const RECORD_LOST: u32 = libbpf_sys::PERF_RECORD_LOST;
const RECORD_SAMPLE: u32 = libbpf_sys::PERF_RECORD_SAMPLE;
/// Header and the `u32` in front of a sample's bytes.
const SAMPLE_PREFIX: u64 = 12;

/// The reader of one ring. It does not own the memory.
#[derive(Debug)]
pub struct PerfRing {
    head: *const AtomicU64,
    tail: *const AtomicU64,
    data: *const u8,
    /// Bytes of data, a power of two.
    size: u64,
    /// `data_head` as last seen.
    seen_head: u64,
    /// Up to where records were handed out; the last one may still be in use.
    position: u64,
    /// What `data_tail` says: the kernel may overwrite everything before it.
    published: u64,
    /// Up to where the common case goes: to what was seen, but not beyond where `data_tail` is due.
    limit: u64,
    scratch: Scratch,
}

// SAFETY: the memory it points to is not bound to a thread; the reader is used by one thread at a time.
unsafe impl Send for PerfRing {}

impl PerfRing {
    /// A reader over a mapping: `base` is the page with the positions, the data starts `page_size` after it.
    ///
    /// # Safety
    /// `page_size + size` bytes from `base` are mapped for as long as the reader lives, the first page is writable,
    /// `size` is a power of two of at least a page, and nobody else consumes this ring.
    pub unsafe fn new(base: *mut u8, page_size: usize, size: usize, min_len: usize) -> Self {
        // SAFETY: both are inside the first page, and 8-aligned.
        let (head, tail) = unsafe { (base.add(DATA_HEAD).cast(), base.add(DATA_TAIL).cast()) };
        // SAFETY: the caller vouches for `page_size` bytes and more.
        let data = unsafe { base.add(page_size) };
        let size = size as u64;
        let mut ring = PerfRing {
            head,
            tail,
            data,
            size,
            seen_head: 0,
            position: 0,
            published: 0,
            limit: 0,
            scratch: Scratch::new(min_len),
        };
        ring.position = ring.tail().load(Ordering::Relaxed);
        ring.published = ring.position;
        ring.seen_head = ring.position;
        ring
    }

    /// Whether there are records to read; looks at the kernel's position.
    pub fn has_data(&mut self) -> bool {
        self.seen_head = self.head().load(Ordering::Acquire);
        self.set_limit();
        self.seen_head != self.position
    }

    /// The kernel's position: where a drain that starts now ends.
    pub fn end(&self) -> u64 {
        self.head().load(Ordering::Acquire)
    }

    /// Whether everything before `end` was handed out.
    pub fn reached(&self, end: u64) -> bool {
        self.position.wrapping_sub(end) as i64 >= 0
    }

    /// Gives everything that was handed out back to the kernel. Invalidates the last record.
    pub fn publish(&mut self) {
        if self.published != self.position {
            self.published = self.position;
            self.tail().store(self.position, Ordering::Release);
            self.set_limit();
        }
    }

    /// `data_tail` is stored once per sixteenth of the ring: its line is shared with the producer.
    fn set_limit(&mut self) {
        self.limit = self.seen_head.min(self.published + (self.size >> 4));
    }

    /// The common case of [`PerfRing::step`], in few instructions: a sample that can be read in place. None: ask there.
    #[inline(always)]
    pub fn step_in_place(&mut self) -> Option<(*const c_void, u32)> {
        let start = self.position;
        if start >= self.limit {
            return None;
        }
        let word = self.read_u64(start);
        let (len, raw) = (word >> 48, u64::from(self.read_u64(start + 8) as u32));
        let offset = (start + SAMPLE_PREFIX) & (self.size - 1);
        let whole = raw + SAMPLE_PREFIX <= len && len & 7 == 0 && start + len <= self.seen_head;
        if word as u32 != RECORD_SAMPLE || !whole || offset + raw > self.size || self.scratch.must_pad(raw as usize) {
            return None;
        }
        self.position = start + len;
        // SAFETY: `offset` and the `raw` bytes behind it are inside the data.
        Some((unsafe { self.data.add(offset as usize).cast() }, raw as u32))
    }

    /// Hands out the next record, and with it gives up the one before.
    #[inline]
    pub fn step(&mut self) -> Step {
        if self.position >= self.limit {
            self.publish();
        }
        loop {
            if self.position == self.seen_head && !self.has_data() {
                self.publish();
                return Step::Empty;
            }
            let (kind, len) = self.header();
            let start = self.position;
            self.position += len;
            match kind {
                RECORD_SAMPLE if len >= SAMPLE_PREFIX => return self.sample(start, len),
                RECORD_LOST => return Step::Lost(self.read_u64(start + 16)),
                // A tick of `flush_lost` has no bytes; other kinds were not asked for.
                _ => {}
            }
        }
    }

    /// Type and size of the record at the position. A size that cannot be skips to the end of what there is.
    #[inline]
    fn header(&self) -> (u32, u64) {
        let word = self.read_u64(self.position);
        let len = word >> 48;
        let left = self.seen_head - self.position;
        if len < 8 || len & 7 != 0 || len > left { (0, left) } else { (word as u32, len) }
    }

    #[inline]
    fn sample(&mut self, start: u64, len: u64) -> Step {
        let raw = u64::from(self.read_u64(start + 8) as u32).min(len - SAMPLE_PREFIX);
        let offset = (start + SAMPLE_PREFIX) & (self.size - 1);
        let fits = offset + raw <= self.size;
        let data = if fits && !self.scratch.must_pad(raw as usize) {
            // SAFETY: `offset` is inside the data.
            unsafe { self.data.add(offset as usize).cast::<c_void>() }
        } else {
            self.copied(offset, raw)
        };
        Step::Record { data, len: raw as u32 }
    }

    /// A record that wraps, or is shorter than the consumer's type.
    #[cold]
    fn copied(&mut self, offset: u64, len: u64) -> *const c_void {
        let first = len.min(self.size - offset) as usize;
        // SAFETY: both parts are inside the data, and the kernel leaves them alone until we publish a later tail.
        let (head, tail) = unsafe {
            (
                std::slice::from_raw_parts(self.data.add(offset as usize), first),
                std::slice::from_raw_parts(self.data, len as usize - first),
            )
        };
        self.scratch.copy(head, tail)
    }

    #[inline]
    fn read_u64(&self, position: u64) -> u64 {
        // SAFETY: positions are 8-aligned, the size is a multiple of 8: the word is inside the data and does not wrap.
        unsafe { self.data.add((position & (self.size - 1)) as usize).cast::<u64>().read() }
    }

    #[inline]
    fn head(&self) -> &AtomicU64 {
        // SAFETY: mapped for the life of the reader (see `new`), 8-aligned, only accessed atomically.
        unsafe { &*self.head }
    }

    #[inline]
    fn tail(&self) -> &AtomicU64 {
        // SAFETY: as `head`.
        unsafe { &*self.tail }
    }
}
