// SPDX-License-Identifier: Apache-2.0
//! The BPF ring buffer (`BPF_MAP_TYPE_RINGBUF`): from the map's descriptor to records.
//!
//! A page with `consumer_pos` (ours, writable), a page with `producer_pos`, then the data, mapped twice in a row by the
//! kernel so that no record wraps. A record is `u32 len` with the bits BUSY and DISCARD, `u32 pgoff`, the bytes, and
//! padding to 8. The kernel wakes us only for a record that is committed while `consumer_pos` has caught up with it,
//! so the position is published before the ring is called empty.

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::record::{Scratch, Step};
use super::sys::{self, Mapping};

const BUSY: u32 = libbpf_sys::BPF_RINGBUF_BUSY_BIT;
const DISCARD: u32 = libbpf_sys::BPF_RINGBUF_DISCARD_BIT;
const HEADER: u64 = 8;

/// The reader of one ring buffer.
#[derive(Debug)]
pub struct RingBuffer {
    map: OwnedFd,
    consumer: Mapping,
    producer: Mapping,
    data: *const u8,
    /// Bytes of data, a power of two.
    size: u64,
    /// `producer_pos` as last seen.
    seen_producer: u64,
    position: u64,
    published: u64,
    /// Up to where the common case goes: to what was seen, but not beyond where `consumer_pos` is due.
    limit: u64,
    scratch: Scratch,
}

// SAFETY: the mappings are not bound to a thread; the reader is used by one thread at a time.
unsafe impl Send for RingBuffer {}

impl RingBuffer {
    /// Maps the ring of the map `map_fd`; consumers read at least `min_len` bytes of each record.
    pub fn open(map_fd: BorrowedFd<'_>, min_len: usize) -> io::Result<Self> {
        let size = ring_size(map_fd.as_raw_fd())?;
        let map = map_fd.try_clone_to_owned()?;
        let page = sys::page_size();
        let consumer = Mapping::new(map.as_raw_fd(), page, 0, true)?;
        let producer = Mapping::new(map.as_raw_fd(), page + 2 * size, page as i64, false)?;
        // SAFETY: the mapping is a page longer than the data.
        let data = unsafe { producer.base().add(page) };
        let scratch = Scratch::new(min_len);
        let size = size as u64;
        let (seen_producer, position, published, limit) = (0, 0, 0, 0);
        let mut ring =
            RingBuffer { map, consumer, producer, data, size, seen_producer, position, published, limit, scratch };
        ring.position = ring.consumer_pos().load(Ordering::Acquire);
        ring.published = ring.position;
        ring.seen_producer = ring.position;
        Ok(ring)
    }

    /// The map, for `epoll`.
    pub fn fd(&self) -> RawFd {
        self.map.as_raw_fd()
    }

    /// Whether there are records to read; looks at the kernel's position. A record that is still being written counts
    /// as not there.
    pub fn has_data(&mut self) -> bool {
        self.seen_producer = self.producer_pos().load(Ordering::Acquire);
        self.set_limit();
        self.seen_producer != self.position && self.header(self.position) & BUSY == 0
    }

    /// The kernel's position: where a drain that starts now ends.
    pub fn end(&self) -> u64 {
        self.producer_pos().load(Ordering::Acquire)
    }

    /// Whether everything before `end` was handed out.
    pub fn reached(&self, end: u64) -> bool {
        self.position.wrapping_sub(end) as i64 >= 0
    }

    /// Gives everything that was handed out back to the kernel. Invalidates the last record.
    pub fn publish(&mut self) {
        if self.published != self.position {
            self.published = self.position;
            self.consumer_pos().store(self.position, Ordering::Release);
            self.set_limit();
        }
    }

    /// `consumer_pos` is stored once per sixteenth of the ring: its line is shared with the producer.
    fn set_limit(&mut self) {
        self.limit = self.seen_producer.min(self.published + (self.size >> 4));
    }

    /// The common case of [`RingBuffer::step`], in few instructions. None: ask there.
    #[inline(always)]
    pub fn step_in_place(&mut self) -> Option<(*const c_void, u32)> {
        let start = self.position;
        if start >= self.limit {
            return None;
        }
        let len = self.header(start);
        if len & (BUSY | DISCARD) != 0 || self.scratch.must_pad(len as usize) {
            return None;
        }
        self.position = start + (u64::from(len) + HEADER).next_multiple_of(8);
        // SAFETY: the data is mapped twice, so a record that starts in the first copy is whole.
        Some((unsafe { self.data.add(((start + HEADER) & (self.size - 1)) as usize).cast() }, len))
    }

    /// Hands out the next record, and with it gives up the one before.
    #[inline]
    pub fn step(&mut self) -> Step {
        if self.position >= self.limit {
            self.publish();
        }
        loop {
            if self.position == self.seen_producer && !self.has_data() {
                self.publish();
                return Step::Empty;
            }
            let header = self.header(self.position);
            if header & BUSY != 0 {
                self.publish();
                return Step::Empty;
            }
            let len = u64::from(header & !(BUSY | DISCARD));
            let start = self.position;
            self.position += (len + HEADER).next_multiple_of(8);
            if header & DISCARD == 0 {
                return self.record(start + HEADER, len as u32);
            }
        }
    }

    #[inline]
    fn record(&mut self, start: u64, len: u32) -> Step {
        // SAFETY: the data is mapped twice, so a record of at most `size` bytes that starts in the first copy is whole.
        let data = unsafe { self.data.add((start & (self.size - 1)) as usize) };
        if !self.scratch.must_pad(len as usize) {
            return Step::Record { data: data.cast(), len };
        }
        // SAFETY: as above; the kernel leaves it alone until we publish a later position.
        let bytes = unsafe { std::slice::from_raw_parts(data, len as usize) };
        Step::Record { data: self.scratch.copy(bytes, &[]), len }
    }

    #[inline]
    fn header(&self, position: u64) -> u32 {
        // SAFETY: inside the data, 8-aligned; the kernel writes it atomically, so must we read.
        let header = unsafe { &*self.data.add((position & (self.size - 1)) as usize).cast::<AtomicU32>() };
        header.load(Ordering::Acquire)
    }

    #[inline]
    fn consumer_pos(&self) -> &AtomicU64 {
        // SAFETY: the mapping starts with this word and lives as long as `self`.
        unsafe { &*self.consumer.base().cast() }
    }

    #[inline]
    fn producer_pos(&self) -> &AtomicU64 {
        // SAFETY: as `consumer_pos`.
        unsafe { &*self.producer.base().cast() }
    }
}

/// The ring's size in bytes, which the map has for `max_entries`. `EINVAL` for a map of another type.
fn ring_size(map_fd: RawFd) -> io::Result<usize> {
    let facts = sys::map_facts(map_fd)?;
    if facts.type_ != libbpf_sys::BPF_MAP_TYPE_RINGBUF || !facts.max_entries.is_power_of_two() {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    Ok(facts.max_entries as usize)
}
