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
        let format = fs::read_to_string(folder.join("format/retprobe"))?;
        let bit = format.trim().strip_prefix("config:").and_then(|bit| bit.parse().ok());
        Ok(ProbePmu { kind, retprobe_bit: bit.unwrap_or(0) })
    }

    /// Opens a probe: at an offset in a function or file, or at an address when there is no name.
    pub fn open(self, name: Option<&CStr>, offset: u64, retprobe: bool, pid: Option<i32>) -> io::Result<OwnedFd> {
        let config = if retprobe { 1 << self.retprobe_bit } else { 0 };
        perf::open(&Event { kind: self.kind, config, name, offset, pid })
    }
}

/// Opens the event of a tracepoint by its id.
pub fn open_tracepoint(id: u64) -> io::Result<OwnedFd> {
    perf::open(&Event { kind: libbpf_sys::PERF_TYPE_TRACEPOINT, config: id, ..Event::default() })
}
