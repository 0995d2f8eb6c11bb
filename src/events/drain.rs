// SPDX-License-Identifier: Apache-2.0
//! The end of a run: the drain, and what was lost.

use super::poll::{Kind, Loop};
use super::source::Reader;

impl Loop {
    /// Fixes the end of each reader at what it holds now; [`Loop::wait`] then gives what is before, and
    /// [`Kind::Drained`].
    pub fn begin_drain(&mut self) {
        self.end_slice();
        self.draining = true;
        self.drain_again = self.readers.iter().any(|reader| !reader.closed && !reader.counts_lost());
        self.queue_for_drain();
    }

    fn queue_for_drain(&mut self) {
        self.queue.clear();
        for (index, reader) in self.readers.iter_mut().enumerate().filter(|(_, reader)| !reader.closed) {
            reader.begin_drain();
            reader.queued = true;
            self.queue.push_back(index);
        }
    }

    pub(super) fn next_drain_slice(&mut self) -> Kind {
        loop {
            while let Some(index) = self.queue.pop_front() {
                let reader = &mut self.readers[index];
                reader.queued = false;
                if !reader.is_drained() {
                    return self.begin_slice(index);
                }
            }
            if !std::mem::take(&mut self.drain_again) {
                return self.end_drain();
            }
            self.readers.iter_mut().filter(|reader| !reader.closed).for_each(Reader::flush_lost);
            self.queue_for_drain();
        }
    }

    /// Tells of the losses that are still untold, reader by reader, and then that all is done.
    fn end_drain(&mut self) -> Kind {
        for index in 0..self.readers.len() {
            let count = self.readers[index].take_untold_losses();
            if count > 0 {
                self.set_lost(index, count);
                return Kind::Lost;
            }
        }
        self.draining = false;
        Kind::Drained
    }

    /// Records handed out of a source so far, on one CPU or (`None`) on all.
    pub fn delivered(&self, source: usize, cpu: Option<i32>) -> u64 {
        self.readers_of(source, cpu).map(|reader| reader.delivered).sum()
    }

    /// Records lost of a source so far, on one CPU or (`None`) on all.
    pub fn lost(&self, source: usize, cpu: Option<i32>) -> u64 {
        self.readers_of(source, cpu).map(Reader::lost).sum()
    }

    fn readers_of(&self, source: usize, cpu: Option<i32>) -> impl Iterator<Item = &Reader> {
        let wanted = move |reader: &&Reader| reader.source == source && cpu.is_none_or(|cpu| reader.cpu() == cpu);
        self.readers.iter().filter(wanted)
    }
}
