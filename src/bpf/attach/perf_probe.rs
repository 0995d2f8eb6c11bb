// SPDX-License-Identifier: Apache-2.0
//! The perf PMUs that make kprobes and uprobes.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use crate::bpf::sys::perf::{self, Event};
use crate::error::{Error, Result};

const DEVICES: &str = "/sys/bus/event_source/devices";

/// A PMU that makes probes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProbePmu {
    kind: u32,
    /// The flag that asks for a return probe.
    retprobe_bit: u32,
    /// The first bit of the number that says where the kernel counts whether the probe is traced.
    counter_bit: Option<u32>,
    /// Where in the file it does that; 0 for nowhere.
    counter: u64,
}

impl ProbePmu {
    /// The one for kernel functions. An error when this kernel has no kprobes.
    pub fn kprobe() -> io::Result<ProbePmu> {
        Self::read(Path::new(DEVICES), "kprobe")
    }

    /// The one for user programs. An error when this kernel has no uprobes.
    pub fn uprobe() -> Result<ProbePmu> {
        Self::read(Path::new(DEVICES), "uprobe").map_err(|err| {
            Error::machine("cannot use uprobes", "this kernel has no uprobes (CONFIG_UPROBE_EVENTS)")
                .with_errno(err.raw_os_error().unwrap_or(libc::ENOENT))
                .with_evidence(format!("there is no `{DEVICES}/uprobe`"))
        })
    }

    fn read(devices: &Path, name: &str) -> io::Result<ProbePmu> {
        let folder = devices.join(name);
        let kind = fs::read_to_string(folder.join("type"))?.trim().parse().map_err(io::Error::other)?;
        let bit = |name: &str| -> io::Result<Option<u32>> {
            let format = fs::read_to_string(folder.join("format").join(name))?;
            let bits = format.trim().strip_prefix("config:").map(|bits| bits.split('-').next().unwrap_or(bits));
            Ok(bits.and_then(|bit| bit.parse().ok()))
        };
        // Only uprobes have counters, since Linux 4.20.
        let counter_bit = bit("ref_ctr_offset").ok().flatten();
        Ok(ProbePmu { kind, retprobe_bit: bit("retprobe")?.unwrap_or(0), counter_bit, counter: 0 })
    }

    /// The same for probes that the kernel counts at this offset in the file, a USDT semaphore's, while they are traced.
    /// `None` when this kernel does not count, or not there.
    pub fn counting_at(self, offset: u64) -> Option<ProbePmu> {
        let fits = self.counter_bit.is_some_and(|bit| offset <= u64::MAX >> bit);
        fits.then_some(ProbePmu { counter: offset, ..self })
    }

    /// Opens a probe: at an offset in a function or file, or at an address when there is no name.
    pub fn open(self, name: Option<&CStr>, offset: u64, retprobe: bool, pid: Option<i32>) -> io::Result<OwnedFd> {
        let counter = self.counter_bit.map_or(0, |bit| self.counter << bit);
        let config = counter | if retprobe { 1 << self.retprobe_bit } else { 0 };
        perf::open(&Event { kind: self.kind, config, name, offset, pid })
    }
}

/// Opens the event of a tracepoint by its id.
pub fn open_tracepoint(id: u64) -> io::Result<OwnedFd> {
    perf::open(&Event { kind: libbpf_sys::PERF_TYPE_TRACEPOINT, config: id, ..Event::default() })
}
