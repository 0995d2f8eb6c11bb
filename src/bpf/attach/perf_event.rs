// SPDX-License-Identifier: Apache-2.0
//! Samples of perf events: one event for each CPU, each with the program attached.

use std::fs;
use std::io;
use std::rc::Rc;

use super::{Mechanism, cookie};
use crate::bpf::link::Link;
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::prog_type::ProgType;
use crate::bpf::program::{LoadAs, Program, Typed};
use crate::bpf::sys::perf::{self, Attr, Sampling, Scope};
use crate::error::{Error, Result};
use crate::kernel::cpus;

/// `enum perf_sw_ids`, in order.
const SOFTWARE: [&str; 12] = [
    "cpu-clock",
    "task-clock",
    "page-faults",
    "context-switches",
    "cpu-migrations",
    "minor-faults",
    "major-faults",
    "alignment-faults",
    "emulation-faults",
    "dummy",
    "bpf-output",
    "cgroup-switches",
];
/// `PERF_COUNT_SW_BPF_OUTPUT`
const BPF_OUTPUT: u64 = 10;
/// `enum perf_hw_id`, in order.
const HARDWARE: [&str; 10] = [
    "cpu-cycles",
    "instructions",
    "cache-references",
    "cache-misses",
    "branch-instructions",
    "branch-misses",
    "bus-cycles",
    "stalled-cycles-frontend",
    "stalled-cycles-backend",
    "ref-cycles",
];
const MAX_RATE: &str = "/proc/sys/kernel/perf_event_max_sample_rate";

/// The request of `attach_perf_event`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerfEventTarget {
    attr: Attr,
    sampling: Option<Sampling>,
    /// Only in this process; in all when negative.
    pub pid: i32,
    /// Only on this CPU; on each that is online when negative.
    pub cpu: i32,
    /// Together with this event; alone when negative.
    pub group_fd: i32,
    /// What `bpf_get_attach_cookie` gives, where the kernel has that; 0 for none.
    pub cookie: u64,
}

impl PerfEventTarget {
    /// Samples of an event by its type and number, `PERF_TYPE_*` and `PERF_COUNT_*`. Just one of period (once every so
    /// many events) and frequency (so many times a second) is given, the other is 0.
    pub fn sampling(kind: u32, config: u64, period: u64, frequency: u64, pid: i32) -> Result<PerfEventTarget> {
        let what = format!("cannot attach to perf event {}", name(kind, config));
        let sampling = match (period, frequency) {
            (0, 0) => return Err(one_of_two(what, "neither is given")),
            (events, 0) => Sampling::Period(events),
            (0, hertz) => Sampling::Frequency(hertz),
            _ => return Err(one_of_two(what, "both are given")),
        };
        check(kind, config, &what)?;
        // As in bcc: what the process starts later is watched with it.
        let attr = Attr::sampling(kind, config, sampling, pid > 0);
        Ok(PerfEventTarget { attr, sampling: Some(sampling), pid, cpu: -1, group_fd: -1, cookie: 0 })
    }

    /// An event of which every attribute is given, as the bytes of a `struct perf_event_attr`.
    pub fn raw(attr: Vec<u8>) -> PerfEventTarget {
        PerfEventTarget { attr: Attr::from_bytes(attr), sampling: None, pid: -1, cpu: -1, group_fd: -1, cookie: 0 }
    }

    fn name(&self) -> String {
        name(self.attr.kind(), self.attr.config())
    }
}

/// `software:cpu-clock`; numbers where there is no name.
fn name(kind: u32, config: u64) -> String {
    let names = match kind {
        libbpf_sys::PERF_TYPE_SOFTWARE => Some(("software", SOFTWARE.as_slice())),
        libbpf_sys::PERF_TYPE_HARDWARE => Some(("hardware", HARDWARE.as_slice())),
        _ => None,
    };
    let known = names.and_then(|(kind, names)| Some(format!("{kind}:{}", names.get(usize::try_from(config).ok()?)?)));
    known.unwrap_or_else(|| format!("type {kind} config {config:#x}"))
}

fn one_of_two(what: String, why: &str) -> Error {
    Error::script(what, format!("`sample_period` or `sample_freq` is needed; {why}"))
}

/// What the kernel has no samples of, or would take for something else.
fn check(kind: u32, config: u64, what: &str) -> Result<()> {
    let known = match kind {
        libbpf_sys::PERF_TYPE_SOFTWARE if config == BPF_OUTPUT => {
            return Err(Error::script(what, "this event carries the output of programs and cannot run one"));
        }
        libbpf_sys::PERF_TYPE_TRACEPOINT => {
            return Err(Error::script(what, "tracepoints are attached with `attach_tracepoint`"));
        }
        libbpf_sys::PERF_TYPE_BREAKPOINT => {
            return Err(
                Error::script(what, "a breakpoint needs more than a number").with_hint("use `attach_perf_event_raw`")
            );
        }
        libbpf_sys::PERF_TYPE_SOFTWARE => SOFTWARE.as_slice(),
        libbpf_sys::PERF_TYPE_HARDWARE => HARDWARE.as_slice(),
        _ => return Ok(()),
    };
    match usize::try_from(config).is_ok_and(|config| config < known.len()) {
        true => Ok(()),
        false => {
            let list = known.iter().enumerate().map(|(number, name)| format!("{number} {name}"));
            let error = Error::script(what, "there is no event of this number");
            Err(error.with_note(format!("there are: {}", list.collect::<Vec<_>>().join(", "))))
        }
    }
}

impl Object {
    /// Attaches a function to samples of a perf event, on one CPU or on each that is online.
    pub fn attach_perf_event(&mut self, target: &PerfEventTarget, function: &str) -> Result<ProbeId> {
        let name = target.name();
        let what = format!("cannot attach `{function}` to perf event {name}");
        cookie::require(&what, ProbeKind::PerfEvent, target.cookie)?;
        let program = self.load_as(function, &perf_event())?;
        let cpus = match u32::try_from(target.cpu) {
            Ok(cpu) => vec![online(cpu, &what)?],
            Err(_) => cpus::online()?,
        };
        let links =
            cpus.iter().map(|&cpu| open(target, &program, cpu).map_err(|err| refused(&what, target, cpu, &err)));
        let mut attached = Attached::many(links.collect::<Result<Vec<Link>>>()?, Mechanism::PerfEvent);
        if target.cpu >= 0 {
            attached.notes.push(format!("on CPU {} only", target.cpu));
        }
        self.keep_probe(ProbeKind::PerfEvent, name, function, attached)
    }

    /// Detaches every function from this perf event.
    pub fn detach_perf_event(&mut self, kind: u32, config: u64) -> Result<()> {
        self.detach_at(ProbeKind::PerfEvent, &name(kind, config), None)
    }
}

fn online(cpu: u32, what: &str) -> Result<u32> {
    let online = cpus::online()?;
    if online.contains(&cpu) {
        return Ok(cpu);
    }
    let numbers: Vec<String> = online.iter().map(u32::to_string).collect();
    let error = Error::script(what, format!("CPU {cpu} is not online"));
    Err(error.with_note(format!("online are: {}", numbers.join(", "))))
}

fn perf_event() -> LoadAs {
    LoadAs::Typed(Typed::new(ProgType(libbpf_sys::BPF_PROG_TYPE_PERF_EVENT)))
}

fn open(target: &PerfEventTarget, program: &Rc<Program>, cpu: u32) -> io::Result<Link> {
    let scope = Scope { pid: target.pid, cpu: cpu as i32, group_fd: target.group_fd };
    Link::perf(program, perf::open_attr(&target.attr, scope)?, target.cookie)
}

fn refused(what: &str, target: &PerfEventTarget, cpu: u32, err: &io::Error) -> Error {
    let errno = err.raw_os_error().unwrap_or_default();
    let hardware = matches!(target.attr.kind(), libbpf_sys::PERF_TYPE_HARDWARE | libbpf_sys::PERF_TYPE_HW_CACHE);
    let error = match errno {
        libc::ENOENT | libc::EOPNOTSUPP | libc::ENODEV if hardware && !has_cpu_pmu() => {
            let error = Error::machine(what, "this machine has no hardware counters");
            error.with_evidence("there is no `cpu` in `/sys/bus/event_source/devices`").with_hint(
                "sample time instead: ev_type = BPF.PerfType.SOFTWARE, ev_config = BPF.PerfSWConfig.CPU_CLOCK",
            )
        }
        libc::ENOENT | libc::ENODEV => Error::machine(what, format!("this machine has no such event on CPU {cpu}")),
        libc::EOPNOTSUPP => Error::machine(what, "this event can be counted but not sampled"),
        libc::ESRCH => Error::machine(what, format!("there is no process {}", target.pid)),
        libc::EINVAL => match too_fast(target.sampling) {
            Some(limit) => Error::machine(what, format!("no more than {limit} samples a second are allowed"))
                .with_evidence(format!("`{MAX_RATE}` says {limit}")),
            None => Error::script(what, "the kernel does not take these attributes"),
        },
        libc::E2BIG => Error::script(what, "an attribute is set that this kernel does not know"),
        libc::EEXIST => Error::script(what, "the event has a program already"),
        libc::EACCES | libc::EPERM => Error::io(what, err).with_evidence(paranoid()),
        _ => Error::io(what, err),
    };
    error.with_errno(errno)
}

fn has_cpu_pmu() -> bool {
    let devices = fs::read_dir("/sys/bus/event_source/devices");
    devices.is_ok_and(|devices| devices.flatten().any(|device| device.file_name().to_string_lossy().starts_with("cpu")))
}

/// The limit that a frequency is above.
fn too_fast(sampling: Option<Sampling>) -> Option<u64> {
    let Some(Sampling::Frequency(hertz)) = sampling else { return None };
    let limit = fs::read_to_string(MAX_RATE).ok()?.trim().parse().ok()?;
    (hertz > limit).then_some(limit)
}

fn paranoid() -> String {
    let level = fs::read_to_string("/proc/sys/kernel/perf_event_paranoid").unwrap_or_default();
    format!("kernel.perf_event_paranoid = {}", level.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_have_names() {
        assert_eq!(name(1, 0), "software:cpu-clock");
        assert_eq!(name(0, 1), "hardware:instructions");
        assert_eq!(name(4, 0x1a8), "type 4 config 0x1a8");
        assert_eq!(name(1, 99), "type 1 config 0x63");
    }

    #[test]
    fn what_cannot_be_sampled_is_refused_at_once() {
        let why = |kind, config, period, frequency| {
            PerfEventTarget::sampling(kind, config, period, frequency, -1).unwrap_err().report()
        };
        assert!(why(1, 0, 0, 0).contains("neither is given"));
        assert!(why(1, 0, 1, 1).contains("both are given"));
        assert!(why(1, 10, 1, 0).contains("output of programs"));
        assert!(why(1, 77, 1, 0).contains("0 cpu-clock, 1 task-clock"), "{}", why(1, 77, 1, 0));
        assert!(why(2, 1, 1, 0).contains("attach_tracepoint"));
        assert!(PerfEventTarget::sampling(1, 0, 0, 99, -1).is_ok());
    }
}
