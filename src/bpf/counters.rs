// SPDX-License-Identifier: Apache-2.0
//! Perf events that count, one on each CPU, in a map for a program to read (`perf_read`).

use std::os::fd::AsRawFd as _;

use super::map::Map;
use super::map_kind::MapKind;
use super::sys::perf;
use crate::error::{Error, Result, errno_words};
use crate::kernel::cpus;

/// Which perf event.
#[derive(Clone, Copy, Debug)]
pub struct Counter {
    /// `PERF_TYPE_*`.
    pub kind: u32,
    /// Which event of that type.
    pub config: u64,
    /// Only in this process.
    pub pid: Option<i32>,
}

impl Map {
    /// Opens `counter` on every online CPU and puts the events into this map, each at its CPU's index. They count until
    /// the map is closed.
    pub fn open_counters(&self, counter: &Counter) -> Result<()> {
        let what = || format!("cannot open perf events for map `{}`", self.name);
        if self.kind != MapKind::PERF_EVENT_ARRAY {
            return Err(Error::script(what(), format!("it is of type {}, not perf_event_array", self.kind)));
        }
        for cpu in cpus::online()? {
            if cpu >= self.max_entries {
                let why = format!("it has {} elements, and there is a CPU {cpu}", self.max_entries);
                return Err(Error::script(what(), why));
            }
            let event = perf::open_counter(counter.kind, counter.config, counter.pid, cpu as usize)
                .map_err(|err| refused(&what(), counter, cpu, &err))?;
            self.update(&cpu.to_ne_bytes(), &event.as_raw_fd().to_ne_bytes(), 0)?;
        }
        Ok(())
    }
}

fn refused(what: &str, counter: &Counter, cpu: u32, err: &std::io::Error) -> Error {
    let Counter { kind, config, .. } = counter;
    let event = format!("the event of type {kind} with config {config:#x} on CPU {cpu}");
    match err.raw_os_error() {
        Some(errno @ (libc::ENOENT | libc::EOPNOTSUPP)) => {
            Error::machine(what, format!("this machine does not have {event}")).with_errno(errno)
        }
        Some(errno @ libc::EINVAL) => {
            Error::script(what, format!("the kernel does not know {event}")).with_errno(errno)
        }
        Some(errno @ libc::ESRCH) => {
            Error::script(what, format!("there is no process {}", counter.pid.unwrap_or(-1))).with_errno(errno)
        }
        Some(errno) => Error::machine(what, format!("{}: {event}", errno_words(errno))).with_errno(errno),
        None => Error::io(what, err),
    }
}
