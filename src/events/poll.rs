// SPDX-License-Identifier: Apache-2.0
//! The loop: one answer to "what next" for perf buffers, ring buffers, trace_pipe, timers, descriptors and the stop.
//!
//! The consumer pulls. [`Loop::wait`] sleeps until there is something to do and says what; for [`Kind::Events`] the
//! consumer then takes records one by one with [`Loop::record`] until that gives none, and waits again. What it gets
//! between two waits is a *slice*: at most [`SLICE`] records of one reader, so that no reader, however busy, keeps the
//! others, the timers or a stop from their turn.
//!
//! **Wake-ups.** The kernel wakes the loop once per batch of events, not per event. What is less than a batch is found
//! by looking: every [`FLUSH_NS`] while there are events, half as often while there are none. That is also how late an event
//! can be. One look costs one system call and one read of memory per CPU.
//!
//! **Stop.** [`Kind::Stop`] is told at once. The consumer then calls [`Loop::begin_drain`], which fixes for each reader
//! where its present end is, and gets what is before it and then [`Kind::Drained`]: the drain ends even if the programs
//! go on. After it, delivered + lost = submitted.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::os::fd::RawFd;

use super::pace::{FLUSH_NS, flush_ns};
use super::record::Step;
use super::source::Reader;
use super::stop;
use super::sys::{self, Epoll};
use super::timers::Timers;
use super::trace_pipe::TracePipe;
use crate::error::{Error, Result};

/// Records of one reader at a time.
pub const SLICE: u32 = 512;
/// The least time between two [`Kind::Lost`] of one reader.
const LOST_EVERY_NS: u64 = 100_000_000;

/// [`Loop::wait`]: look at every reader first, however recent the last look is.
pub const LOOK: i32 = 1;
/// [`Loop::wait`]: lines of trace_pipe are wanted.
pub const TRACE: i32 = 2;

/// What there is to do. The numbers are known to `scripts/lib/loop.lua`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Kind {
    /// The deadline has passed, and there is nothing else.
    Timeout = 0,
    /// Records of `source` from `cpu` are there.
    Events = 1,
    /// The timer `source` is due.
    Timer = 2,
    /// `source` lost `count` records on `cpu` since the last time this was told.
    Lost = 3,
    /// The descriptor `source` is readable.
    Descriptor = 4,
    /// Lines of trace_pipe are there.
    Trace = 5,
    /// A stop was asked for.
    Stop = 6,
    /// The drain is over.
    Drained = 7,
    /// Something failed; see [`Loop::error`].
    Failed = 8,
}

super::ctype::c_struct! {
    /// What the last call found, for the consumer to read; the first bytes of a [`Loop`].
    pub struct Shared as "bpflua_loop" {
        /// A [`Kind`].
        kind: i32,
        /// The number of the source, timer or descriptor.
        source: i32,
        /// The CPU the records come from; -1 when they come from all.
        cpu: i32,
        /// Bytes of the last record, padding included.
        len: u32,
        /// The records lost since last told.
        count: f64,
        /// Seconds of `CLOCK_MONOTONIC` when the last wait returned.
        now: f64,
    }
}

const TOKEN_STOP: u64 = 1 << 40;
pub(super) const TOKEN_DESCRIPTOR: u64 = 1 << 41;

/// See the module.
#[derive(Debug)]
#[repr(C)]
pub struct Loop {
    shared: Shared,
    /// The reader of the slice under way.
    reader: usize,
    /// Its source.
    slice_source: i32,
    /// Records left in the slice; 0: no slice.
    left: u32,
    pub(super) draining: bool,
    /// The drain goes round once more, after the last losses were asked for.
    pub(super) drain_again: bool,
    lost_news: bool,
    timer_was_last: bool,
    pub(super) readers: Vec<Reader>,
    pub(super) sources: usize,
    /// Readers that may have records.
    pub(super) queue: VecDeque<usize>,
    pub(super) ready_descriptors: VecDeque<usize>,
    pub(super) descriptors: Vec<RawFd>,
    pub(super) timers: Timers,
    pub(super) trace: Option<TracePipe>,
    last_look_ns: u64,
    flush_ns: u64,
    idle_looks: u32,
    pub(super) epoll: Epoll,
    /// Why the last call failed.
    pub error: Option<Error>,
}

impl Loop {
    /// A loop without sources.
    pub fn new() -> Result<Self> {
        let failed = |err| Error::io("cannot make an event loop", &err);
        let epoll = Epoll::new().map_err(failed)?;
        epoll.add(stop::wake_fd().map_err(failed)?, TOKEN_STOP, false).map_err(failed)?;
        Ok(Loop {
            shared: Shared { kind: 0, source: -1, cpu: -1, len: 0, count: 0.0, now: 0.0 },
            reader: 0,
            slice_source: -1,
            left: 0,
            draining: false,
            drain_again: false,
            lost_news: false,
            timer_was_last: false,
            readers: Vec::new(),
            sources: 0,
            queue: VecDeque::new(),
            ready_descriptors: VecDeque::new(),
            descriptors: Vec::new(),
            timers: Timers::default(),
            trace: None,
            last_look_ns: 0,
            flush_ns: FLUSH_NS,
            idle_looks: 0,
            epoll,
            error: None,
        })
    }

    /// What the last call found.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The next record of the slice, if there is one and it is of this source; null otherwise. The record before it is
    /// given up. Its length is in [`Shared`].
    #[inline]
    pub fn record(&mut self, source: i32) -> *const c_void {
        if source == self.slice_source
            && self.left > 0
            && !self.draining
            && !stop::requested()
            && let Some(reader) = self.readers.get_mut(self.reader)
            && let Some((data, len)) = reader.step_in_place()
        {
            self.left -= 1;
            self.shared.len = len;
            reader.delivered += 1;
            return data;
        }
        self.record_at_edge(source)
    }

    /// [`Loop::record`] in every case but the common one.
    #[inline(never)]
    fn record_at_edge(&mut self, source: i32) -> *const c_void {
        if self.left == 0 || source != self.slice_source || (stop::requested() && !self.draining) {
            return std::ptr::null();
        }
        self.left -= 1;
        let Some(reader) = self.readers.get_mut(self.reader) else { return std::ptr::null() };
        loop {
            if self.draining && reader.is_drained() {
                break;
            }
            match reader.step() {
                Step::Record { data, len } => {
                    self.shared.len = len;
                    reader.delivered += 1;
                    return data;
                }
                Step::Lost(_) => {
                    reader.lost_news = true;
                    self.lost_news = true;
                }
                Step::Empty => {
                    // A ring buffer has no record of what it lost: its counter is looked at.
                    reader.lost_news |= reader.has_lost_counter();
                    self.lost_news |= reader.lost_news;
                    break;
                }
            }
        }
        self.left = 0;
        std::ptr::null()
    }

    /// Waits until there is something to do, up to `deadline_ns` of the monotonic clock. `flags`: [`LOOK`], [`TRACE`].
    pub fn wait(&mut self, deadline_ns: u64, flags: i32) -> Kind {
        self.end_slice();
        let kind = self.wait_inner(deadline_ns, flags).unwrap_or_else(|err| {
            self.error = Some(err);
            Kind::Failed
        });
        self.timer_was_last = kind == Kind::Timer;
        self.shared.kind = kind as i32;
        kind
    }

    fn wait_inner(&mut self, deadline_ns: u64, flags: i32) -> Result<Kind> {
        let mut look = flags & LOOK != 0;
        loop {
            let now_ns = sys::now_ns();
            self.shared.now = now_ns as f64 / 1e9;
            if self.draining {
                return Ok(self.next_drain_slice());
            }
            if stop::requested() {
                return Ok(Kind::Stop);
            }
            // A timer whose function takes longer than its interval must not shut out the events.
            if !self.timer_was_last && self.take_timer(now_ns) {
                return Ok(Kind::Timer);
            }
            if self.lost_news && self.take_lost(now_ns) {
                return Ok(Kind::Lost);
            }
            if look || now_ns.saturating_sub(self.last_look_ns) >= self.flush_ns {
                self.look(now_ns, flags)?;
                look = false;
            }
            if let Some(kind) = self.take_ready(flags) {
                return Ok(kind);
            }
            if self.take_timer(now_ns) {
                return Ok(Kind::Timer);
            }
            if now_ns >= deadline_ns {
                return Ok(Kind::Timeout);
            }
            self.sleep(now_ns, deadline_ns, flags)?;
        }
    }

    /// Gives up the record that was handed out last, and puts the reader back into the queue if it has more.
    pub(super) fn end_slice(&mut self) {
        if self.slice_source < 0 {
            return;
        }
        self.slice_source = -1;
        self.left = 0;
        let index = self.reader;
        if let Some(reader) = self.readers.get_mut(index) {
            reader.publish();
            if reader.has_data() && !reader.queued {
                reader.queued = true;
                self.queue.push_back(index);
            }
        }
    }

    pub(super) fn begin_slice(&mut self, index: usize) -> Kind {
        let reader = &self.readers[index];
        self.reader = index;
        self.left = SLICE;
        self.slice_source = reader.source as i32;
        self.shared.source = self.slice_source;
        self.shared.cpu = reader.cpu();
        Kind::Events
    }

    fn take_ready(&mut self, flags: i32) -> Option<Kind> {
        while let Some(index) = self.queue.pop_front() {
            let reader = &mut self.readers[index];
            reader.queued = false;
            if !reader.closed && reader.has_data() {
                return Some(self.begin_slice(index));
            }
        }
        if let Some(index) = self.ready_descriptors.pop_front() {
            self.shared.source = index as i32;
            return Some(Kind::Descriptor);
        }
        let wanted = flags & TRACE != 0 && self.trace.as_ref().is_some_and(TracePipe::has_line);
        wanted.then_some(Kind::Trace)
    }

    fn take_timer(&mut self, now_ns: u64) -> bool {
        let due = self.timers.take_due(now_ns);
        self.shared.source = due.map_or(self.shared.source, |index| index as i32);
        due.is_some()
    }

    fn take_lost(&mut self, now_ns: u64) -> bool {
        self.lost_news = false;
        for index in 0..self.readers.len() {
            let reader = &mut self.readers[index];
            if !reader.lost_news {
                continue;
            }
            if reader.lost_told_ns != 0 && now_ns - reader.lost_told_ns < LOST_EVERY_NS {
                self.lost_news = true;
                continue;
            }
            reader.lost_news = false;
            reader.lost_told_ns = now_ns;
            let count = reader.take_untold_losses();
            if count > 0 {
                self.set_lost(index, count);
                // The readers behind it are asked at the next wait.
                self.lost_news = true;
                return true;
            }
        }
        false
    }

    pub(super) fn set_lost(&mut self, index: usize, count: u64) {
        let reader = &self.readers[index];
        self.shared.source = reader.source as i32;
        self.shared.cpu = reader.cpu();
        self.shared.count = count as f64;
    }

    /// Looks for records that no wake-up was sent for.
    fn look(&mut self, now_ns: u64, flags: i32) -> Result<()> {
        self.last_look_ns = now_ns;
        let before = self.queue.len();
        for (index, reader) in self.readers.iter_mut().enumerate() {
            if !reader.queued && reader.has_data() {
                reader.queued = true;
                self.queue.push_back(index);
            }
        }
        let mut found = self.queue.len() > before;
        if flags & TRACE != 0
            && let Some(trace) = &mut self.trace
        {
            found |= trace.has_line() || trace.fill()?;
        }
        self.idle_looks = if found { 0 } else { self.idle_looks.saturating_add(1) };
        self.flush_ns = flush_ns(self.idle_looks);
        // With readers always busy the loop never sleeps; the descriptors must not wait for that.
        if self.descriptors.is_empty() { Ok(()) } else { self.epoll_wait(0) }
    }

    fn sleep(&mut self, now_ns: u64, deadline_ns: u64, flags: i32) -> Result<()> {
        let mut until_ns = deadline_ns.min(self.timers.next_due_ns());
        if !self.readers.is_empty() || (flags & TRACE != 0 && self.trace.is_some()) {
            until_ns = until_ns.min(self.last_look_ns + self.flush_ns);
        }
        self.epoll_wait(match until_ns {
            u64::MAX => -1,
            _ => until_ns.saturating_sub(now_ns).div_ceil(1_000_000).min(i32::MAX as u64) as i32,
        })
    }

    fn epoll_wait(&mut self, timeout_ms: i32) -> Result<()> {
        let (queue, readers, ready) = (&mut self.queue, &mut self.readers, &mut self.ready_descriptors);
        let took = self.epoll.wait(timeout_ms, |token| {
            let index = (token & (TOKEN_DESCRIPTOR - 1)) as usize;
            if token & TOKEN_DESCRIPTOR != 0 {
                if !ready.contains(&index) {
                    ready.push_back(index);
                }
            } else if let Some(reader) = readers.get_mut(index).filter(|reader| !reader.queued) {
                reader.queued = true;
                queue.push_back(index);
            }
        });
        took.map_err(|err| Error::io("cannot wait for events", &err))
    }
}
