// SPDX-License-Identifier: Apache-2.0
//! The perf buffer: a ring per online CPU behind a `BPF_MAP_TYPE_PERF_EVENT_ARRAY`.
//!
//! The events are opened here and not by libbpf, for two things that it cannot do: the kernel counts lost samples per
//! event (`PERF_FORMAT_LOST`, Linux 6.0), exactly and at any time; and a wake-up every so many events is set apart
//! from everything else. Older kernels tell of losses only in a record in front of the next sample that fits, so what
//! is lost at the very end would stay unknown: [`PerfCpu::flush_lost`] puts one more record into each ring.

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use libbpf_sys::perf_event_attr;

use super::perf_ring::PerfRing;
use super::record::Step;
use super::sys::{self, Mapping};
use crate::error::{Error, Result};

/// Events per wake-up unless the caller says otherwise. With 1 the traced program runs 15-25 times slower.
pub const WAKEUP_EVENTS: u32 = 256;

/// Bytes of all rings together, at most, when the caller names no page count.
const DEFAULT_TOTAL: usize = 64 << 20;
/// Bytes per CPU, at most and at least, when the caller names no page count.
const DEFAULT_PER_CPU: usize = 512 << 10;
const DEFAULT_LEAST: usize = 32 << 10;

/// How a perf buffer is opened.
#[derive(Clone, Copy, Debug)]
pub struct PerfOptions {
    /// Pages per CPU, a power of two; 0: chosen by [`default_page_cnt`].
    pub page_cnt: usize,
    /// Events per wake-up and CPU; 0: [`WAKEUP_EVENTS`]. The kernel also wakes when half of a ring is full.
    pub wakeup_events: u32,
    /// The least bytes of a record that the consumer reads; shorter records are padded.
    pub min_len: usize,
    /// Ask the kernel for exact counts of lost samples. Off, it is as on a kernel before 6.0.
    pub exact_lost: bool,
}

impl Default for PerfOptions {
    fn default() -> Self {
        PerfOptions { page_cnt: 0, wakeup_events: 0, min_len: 0, exact_lost: true }
    }
}

/// One CPU of a perf buffer.
#[derive(Debug)]
pub struct PerfCpu {
    /// The CPU's number.
    pub cpu: u32,
    ring: PerfRing,
    /// None once closed.
    event: Option<OwnedFd>,
    /// Keeps the memory of `ring`.
    _mapping: Mapping,
    /// Whether `event` counts lost samples itself.
    counts_lost: bool,
    /// The sum of the records about lost samples.
    lost_records: u64,
}

/// The pages per CPU for so many CPUs: 512 KiB a CPU (about 9,000 events of 40 bytes), together at most 64 MiB, and
/// never under bcc's 32 KiB.
pub fn default_page_cnt(cpus: usize, page_size: usize) -> usize {
    let per_cpu = (DEFAULT_TOTAL / cpus.max(1)).clamp(DEFAULT_LEAST, DEFAULT_PER_CPU);
    let pages = (per_cpu / page_size).max(1);
    1 << pages.ilog2()
}

/// Opens a ring on each online CPU and puts it into the map `map_fd`.
pub fn open(map_fd: BorrowedFd<'_>, options: PerfOptions) -> Result<Vec<PerfCpu>> {
    let cpus = online_cpus().map_err(|err| Error::io("cannot read the list of online CPUs", &err))?;
    let page_cnt = match options.page_cnt {
        0 => default_page_cnt(cpus.len(), sys::page_size()),
        n => n,
    };
    if !page_cnt.is_power_of_two() {
        return Err(Error::script("cannot open the perf buffer", "`page_cnt` must be a power of two")
            .with_evidence(format!("page_cnt = {page_cnt}")));
    }
    let wakeup_events = if options.wakeup_events == 0 { WAKEUP_EVENTS } else { options.wakeup_events };
    cpus.into_iter()
        .map(|cpu| {
            let opened = PerfCpu::open(cpu, PerfOptions { page_cnt, wakeup_events, ..options })?;
            opened.put_into(map_fd).map(|()| opened)
        })
        .collect()
}

impl PerfCpu {
    fn open(cpu: u32, options: PerfOptions) -> Result<Self> {
        let PerfOptions { page_cnt, wakeup_events, min_len, exact_lost } = options;
        let (event, counts_lost) = open_output_event(cpu, wakeup_events, exact_lost)
            .map_err(|err| Error::io(format!("cannot open the perf buffer of CPU {cpu}"), &err))?;
        let page_size = sys::page_size();
        let size = page_cnt * page_size;
        let mapping = Mapping::new(event.as_raw_fd(), page_size + size, 0, true).map_err(|err| {
            let error = Error::io(format!("cannot map {page_cnt} pages for the perf buffer of CPU {cpu}"), &err);
            match err.raw_os_error() {
                Some(libc::EPERM) => error
                    .with_evidence("over the limit of locked memory: kernel.perf_event_mlock_kb and `ulimit -l`")
                    .with_hint("open it with a smaller `page_cnt`"),
                _ => error,
            }
        })?;
        // SAFETY: the mapping is a page and `size` bytes, kept as long as the ring, and this event is only ours.
        let ring = unsafe { PerfRing::new(mapping.base(), page_size, size, min_len) };
        Ok(PerfCpu { cpu, ring, event: Some(event), _mapping: mapping, counts_lost, lost_records: 0 })
    }

    fn put_into(&self, map_fd: BorrowedFd<'_>) -> Result<()> {
        let fd = self.fd();
        // SAFETY: key and value are valid u32s, which is what this kind of map has.
        let result = unsafe {
            let (key, value) = ((&raw const self.cpu).cast(), (&raw const fd).cast());
            libbpf_sys::bpf_map_update_elem(map_fd.as_raw_fd(), key, value, 0)
        };
        if result < 0 {
            let err = io::Error::from_raw_os_error(-result);
            return Err(Error::io(format!("cannot put the perf buffer of CPU {} into its map", self.cpu), &err));
        }
        Ok(())
    }

    /// The event, for `epoll`; -1 once closed.
    pub fn fd(&self) -> RawFd {
        self.event.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Gives the event back to the kernel. The memory stays.
    pub fn close(&mut self) {
        self.event = None;
    }

    /// The reader.
    #[inline]
    pub fn ring(&mut self) -> &mut PerfRing {
        &mut self.ring
    }

    /// Hands out the next record.
    #[inline]
    pub fn step(&mut self) -> Step {
        let step = self.ring.step();
        if let Step::Lost(n) = step {
            self.lost_records += n;
        }
        step
    }

    /// Samples lost on this CPU so far. Exact on Linux 6.0 and newer; before, what the records said that were read. The
    /// kernel asks the CPU itself, by an interrupt: not for every event.
    pub fn lost(&self) -> u64 {
        let mut counts = [0; 16];
        match sys::read(self.fd(), &mut counts) {
            Ok(16) if self.counts_lost => u64::from_ne_bytes(counts[8..].try_into().unwrap_or_default()),
            _ => self.lost_records,
        }
    }

    /// Whether [`PerfCpu::lost`] is exact at any time.
    pub fn counts_lost(&self) -> bool {
        self.counts_lost
    }

    /// Makes the kernel write the record about what was lost since the last sample, where there is no exact count.
    ///
    /// A clock event of this CPU is pointed at the ring and ticks once: a sample without bytes, and in front of it
    /// the record that was due. The ring must have room, so read it first.
    pub fn flush_lost(&mut self) -> io::Result<()> {
        if self.counts_lost {
            return Ok(());
        }
        let clock = open_clock_event(self.cpu)?;
        let before = self.ring.end();
        event_ioctl(&clock, IOC_SET_OUTPUT, self.fd())?;
        event_ioctl(&clock, IOC_ENABLE, 0)?;
        // A tick can be late where the CPUs are shared with other machines.
        for _ in 0..1000 {
            std::thread::sleep(Duration::from_micros(200));
            if self.ring.end() != before {
                break;
            }
        }
        event_ioctl(&clock, IOC_DISABLE, 0)
    }
}

const IOC_ENABLE: libc::c_ulong = 0x2400;
const IOC_DISABLE: libc::c_ulong = 0x2401;
const IOC_SET_OUTPUT: libc::c_ulong = 0x2405;

fn event_ioctl(event: &OwnedFd, request: libc::c_ulong, argument: RawFd) -> io::Result<()> {
    // SAFETY: these requests take a number, not a pointer.
    sys::check(unsafe { libc::ioctl(event.as_raw_fd(), request, argument) }).map(|_| ())
}

/// The event that `bpf_perf_event_output` writes to, and whether it counts lost samples.
fn open_output_event(cpu: u32, wakeup_events: u32, exact_lost: bool) -> io::Result<(OwnedFd, bool)> {
    let mut attr = software_event(libbpf_sys::PERF_COUNT_SW_BPF_OUTPUT);
    attr.sample_type = u64::from(libbpf_sys::PERF_SAMPLE_RAW);
    attr.__bindgen_anon_1.sample_period = 1;
    attr.__bindgen_anon_2.wakeup_events = wakeup_events;
    attr.read_format = if exact_lost { u64::from(libbpf_sys::PERF_FORMAT_LOST) } else { 0 };
    match perf_event_open(&mut attr, cpu) {
        Ok(event) => Ok((event, exact_lost)),
        // 119a784c8127 "perf/core: Add a new read format to get a number of lost samples" is not in this kernel.
        Err(err) if exact_lost && err.raw_os_error() == Some(libc::EINVAL) => {
            attr.read_format = 0;
            perf_event_open(&mut attr, cpu).map(|event| (event, false))
        }
        Err(err) => Err(err),
    }
}

/// A clock that ticks every 100 microseconds once enabled, with empty samples.
fn open_clock_event(cpu: u32) -> io::Result<OwnedFd> {
    let mut attr = software_event(libbpf_sys::PERF_COUNT_SW_CPU_CLOCK);
    attr.__bindgen_anon_1.sample_period = 100_000;
    attr.set_disabled(1);
    perf_event_open(&mut attr, cpu)
}

fn software_event(config: u32) -> perf_event_attr {
    // SAFETY: the attributes are plain data, for which zero is valid and means the default.
    let mut attr: perf_event_attr = unsafe { zeroed() };
    attr.type_ = libbpf_sys::PERF_TYPE_SOFTWARE;
    attr.size = size_of::<perf_event_attr>() as u32;
    attr.config = u64::from(config);
    attr
}

/// Opens an event on a CPU, for all processes. A kernel that knows a shorter `perf_event_attr` takes ours as long as
/// what it does not know is zero.
fn perf_event_open(attr: &mut perf_event_attr, cpu: u32) -> io::Result<OwnedFd> {
    let flags = libc::c_ulong::from(libbpf_sys::PERF_FLAG_FD_CLOEXEC);
    let (all_processes, no_group): (libc::pid_t, RawFd) = (-1, -1);
    // SAFETY: `attr` is valid and says its size.
    let fd = unsafe { libc::syscall(libc::SYS_perf_event_open, &raw mut *attr, all_processes, cpu, no_group, flags) };
    sys::owned(fd as RawFd)
}

fn online_cpus() -> io::Result<Vec<u32>> {
    let list = std::fs::read_to_string("/sys/devices/system/cpu/online")?;
    parse_cpu_list(&list).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("CPU list `{list}`")))
}

/// Parses the kernel's list format: `0-3,8,10-11`.
fn parse_cpu_list(list: &str) -> Option<Vec<u32>> {
    let mut cpus = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        cpus.extend(first.parse::<u32>().ok()?..=last.parse().ok()?);
    }
    Some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_lists() {
        assert_eq!(parse_cpu_list("0\n"), Some(vec![0]));
        assert_eq!(parse_cpu_list("0-2,5,7-8\n"), Some(vec![0, 1, 2, 5, 7, 8]));
        assert_eq!(parse_cpu_list("0-x"), None);
    }

    #[test]
    fn pages_by_memory() {
        assert_eq!(default_page_cnt(2, 4096), 128);
        assert_eq!(default_page_cnt(128, 4096), 128);
        assert_eq!(default_page_cnt(200, 4096), 64);
        assert_eq!(default_page_cnt(100_000, 4096), 8);
        assert_eq!(default_page_cnt(2, 65536), 8);
        assert_eq!(default_page_cnt(4096, 65536), 1);
    }
}
