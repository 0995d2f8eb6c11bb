// SPDX-License-Identifier: Apache-2.0
//! Sources of records, and their readers: a perf buffer has a reader per CPU, a ring buffer one.

use std::ffi::c_void;
use std::os::fd::RawFd;

use super::lost_counter::LostCounter;
use super::perf::PerfCpu;
use super::record::Step;
use super::ring::RingBuffer;

/// What a reader reads.
#[derive(Debug)]
enum Ring {
    Perf(PerfCpu),
    Bpf(RingBuffer),
}

/// One ring of a source, with its counts.
#[derive(Debug)]
pub struct Reader {
    /// The number of the source it belongs to.
    pub source: usize,
    /// Records handed out.
    pub delivered: u64,
    /// Lost records that the consumer was told of.
    pub lost_told: u64,
    /// When the consumer was last told, 0 for never.
    pub lost_told_ns: u64,
    /// A record about losses was read since the consumer was told.
    pub lost_news: bool,
    /// It was removed from the loop.
    pub closed: bool,
    /// It waits in the loop's queue.
    pub queued: bool,
    /// Where the drain under way ends.
    pub drain_end: u64,
    lost_at_close: u64,
    ring: Ring,
    /// Where the program counts what did not fit into a ring buffer.
    lost: Option<LostCounter>,
}

macro_rules! either {
    ($reader:expr, $ring:ident => $body:expr) => {
        match &mut $reader.ring {
            Ring::Perf(perf) => {
                let $ring = perf.ring();
                $body
            }
            Ring::Bpf($ring) => $body,
        }
    };
}

impl Reader {
    /// A reader of one CPU of a perf buffer.
    pub fn perf(source: usize, perf: PerfCpu) -> Self {
        Self::new(source, Ring::Perf(perf), None)
    }

    /// A reader of a ring buffer, with the counter of the records that did not fit.
    pub fn ring_buffer(source: usize, ring: RingBuffer, lost: Option<LostCounter>) -> Self {
        Self::new(source, Ring::Bpf(ring), lost)
    }

    fn new(source: usize, ring: Ring, lost: Option<LostCounter>) -> Self {
        Reader {
            source,
            delivered: 0,
            lost_told: 0,
            lost_told_ns: 0,
            lost_news: false,
            closed: false,
            queued: false,
            drain_end: 0,
            lost_at_close: 0,
            ring,
            lost,
        }
    }

    /// The CPU whose records these are; -1 when they come from all.
    pub fn cpu(&self) -> i32 {
        match &self.ring {
            Ring::Perf(perf) => perf.cpu as i32,
            Ring::Bpf(_) => -1,
        }
    }

    /// The descriptor for `epoll`.
    pub fn fd(&self) -> RawFd {
        match &self.ring {
            Ring::Perf(perf) => perf.fd(),
            Ring::Bpf(ring) => ring.fd(),
        }
    }

    /// Ends it; the counts stay as they are now.
    pub fn close(&mut self) {
        self.lost_at_close = self.lost();
        self.closed = true;
        if let Ring::Perf(perf) = &mut self.ring {
            perf.close();
        }
    }

    /// Hands out the next record.
    #[inline]
    pub fn step(&mut self) -> Step {
        match &mut self.ring {
            Ring::Perf(perf) => perf.step(),
            Ring::Bpf(ring) => ring.step(),
        }
    }

    /// The common case of [`Reader::step`]: a record that can be read in place. None: ask there.
    #[inline(always)]
    pub fn step_in_place(&mut self) -> Option<(*const c_void, u32)> {
        match &mut self.ring {
            Ring::Perf(perf) => perf.ring().step_in_place(),
            Ring::Bpf(ring) => ring.step_in_place(),
        }
    }

    /// Whether there is something to read.
    pub fn has_data(&mut self) -> bool {
        either!(self, ring => ring.has_data())
    }

    /// Gives what was handed out back to the kernel.
    pub fn publish(&mut self) {
        either!(self, ring => ring.publish());
    }

    /// Fixes the end of a drain at what is there now.
    pub fn begin_drain(&mut self) {
        self.drain_end = either!(self, ring => ring.end());
    }

    /// Whether everything up to the end of the drain was handed out.
    pub fn is_drained(&mut self) -> bool {
        let end = self.drain_end;
        either!(self, ring => ring.reached(end) || !ring.has_data())
    }

    /// Records lost so far.
    pub fn lost(&self) -> u64 {
        match &self.ring {
            _ if self.closed => self.lost_at_close,
            Ring::Perf(perf) => perf.lost(),
            Ring::Bpf(_) => self.lost.as_ref().map_or(0, LostCounter::read),
        }
    }

    /// Whether its program counts what was lost.
    pub fn has_lost_counter(&self) -> bool {
        self.lost.is_some()
    }

    /// Losses that the consumer was not told of; they count as told from now on.
    pub fn take_untold_losses(&mut self) -> u64 {
        let lost = self.lost();
        let untold = lost.saturating_sub(self.lost_told);
        self.lost_told = lost;
        untold
    }

    /// Whether [`Reader::lost`] is exact at any time.
    pub fn counts_lost(&self) -> bool {
        match &self.ring {
            Ring::Perf(perf) => perf.counts_lost(),
            Ring::Bpf(_) => true,
        }
    }

    /// Before the last look at the losses, once everything was read: see [`PerfCpu::flush_lost`].
    pub fn flush_lost(&mut self) {
        if let Ring::Perf(perf) = &mut self.ring {
            // Without it the count is only less exact, on kernels before 6.0.
            let _ = perf.flush_lost();
        }
    }
}
