// SPDX-License-Identifier: Apache-2.0
//! What a loop waits for: adding it, and taking it out.

use std::os::fd::{BorrowedFd, RawFd};
use std::path::Path;

use super::lost_counter::LostCounter;
use super::perf::{self, PerfOptions};
use super::poll::{Loop, TOKEN_DESCRIPTOR};
use super::ring::RingBuffer;
use super::source::Reader;
use super::sys;
use super::trace_pipe::TracePipe;
use crate::error::{Error, Result};

impl Loop {
    /// Adds a perf buffer; returns the number of the source.
    pub fn add_perf(&mut self, map_fd: BorrowedFd<'_>, options: PerfOptions) -> Result<usize> {
        let source = self.sources;
        let cpus = perf::open(map_fd, options)?;
        cpus.into_iter().try_for_each(|cpu| self.add_reader(Reader::perf(source, cpu)))?;
        self.sources += 1;
        Ok(source)
    }

    /// Adds a ring buffer; returns the number of the source. `lost`: the array in which the program counts what did
    /// not fit, and the byte offset of the count in its value 0.
    pub fn add_ring(
        &mut self,
        map_fd: BorrowedFd<'_>,
        lost: Option<(BorrowedFd<'_>, usize)>,
        min_len: usize,
    ) -> Result<usize> {
        let source = self.sources;
        let ring = RingBuffer::open(map_fd, min_len).map_err(|err| Error::io("cannot map the ring buffer", &err))?;
        let lost = lost.map(|(map, offset)| LostCounter::new(map, offset)).transpose()?;
        self.add_reader(Reader::ring_buffer(source, ring, lost))?;
        self.sources += 1;
        Ok(source)
    }

    fn add_reader(&mut self, reader: Reader) -> Result<()> {
        let token = self.readers.len() as u64;
        self.epoll.add(reader.fd(), token, true).map_err(|err| Error::io("cannot wait for a buffer", &err))?;
        self.readers.push(reader);
        Ok(())
    }

    /// Ends a source. Its counts stay, and so does its memory: a consumer may still hold a pointer to a record.
    pub fn remove(&mut self, source: usize) {
        self.end_slice();
        for reader in self.readers.iter_mut().filter(|reader| reader.source == source && !reader.closed) {
            let _ = self.epoll.remove(reader.fd());
            reader.close();
        }
    }

    /// Watches a descriptor for input, as long as it has any; returns its number.
    pub fn add_descriptor(&mut self, fd: RawFd) -> Result<usize> {
        let index = self.descriptors.len();
        self.epoll
            .add(fd, TOKEN_DESCRIPTOR | index as u64, false)
            .map_err(|err| Error::io(format!("cannot wait for descriptor {fd}"), &err))?;
        self.descriptors.push(fd);
        Ok(index)
    }

    /// Stops watching a descriptor; it may be closed already.
    pub fn remove_descriptor(&mut self, index: usize) {
        if let Some(&fd) = self.descriptors.get(index) {
            let _ = self.epoll.remove(fd);
            self.ready_descriptors.retain(|&ready| ready != index);
        }
    }

    /// Adds a timer, see [`super::timers::Timers::add`].
    pub fn add_timer(&mut self, interval_ns: u64, repeat: bool) -> usize {
        self.timers.add(sys::now_ns(), interval_ns, repeat)
    }

    /// Ends a timer.
    pub fn cancel_timer(&mut self, index: usize) -> bool {
        self.timers.cancel(index)
    }

    /// Opens trace_pipe. A second call changes nothing.
    pub fn open_trace(&mut self, path: &Path) -> Result<()> {
        if self.trace.is_none() {
            self.trace = Some(TracePipe::open(path)?);
        }
        Ok(())
    }

    /// The reader of trace_pipe, once opened.
    pub fn trace(&mut self) -> Option<&mut TracePipe> {
        self.trace.as_mut()
    }
}
