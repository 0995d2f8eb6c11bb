// SPDX-License-Identifier: Apache-2.0
//! Probes of perf events.

use super::insns::{FP, R0, R2, R3, R4, R5, add, call, copy, exit, map, set, store_on_stack};
use super::maps;
use super::programs::{TRACEPOINT, load};
use super::support::{Step, Support, answer};
use crate::kernel::sys::bpf::Insn;
use crate::kernel::sys::os;
use crate::kernel::sys::perf::{self, Event};
use std::ffi::{CStr, CString};
use std::fs;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};

/// `PERF_TYPE_SOFTWARE`
const SOFTWARE: u32 = 1;
/// `PERF_COUNT_SW_DUMMY`
const DUMMY: u64 = 9;
/// `PERF_COUNT_SW_BPF_OUTPUT`
const BPF_OUTPUT: u64 = 10;
/// `PERF_FORMAT_LOST`
const FORMAT_LOST: u64 = 1 << 4;
/// `BPF_FUNC_perf_event_output`
const PERF_EVENT_OUTPUT: i32 = 25;

/// A function that no kernel is without and that is seldom called.
const SOME_FUNCTION: &CStr = c"kernel_power_off";

fn open(what: &str, event: &Event<'_>) -> Step<OwnedFd> {
    perf::open(event).map_err(|err| Support::refused(format!("perf_event_open of {what}"), &err))
}

/// The number of a performance unit that came with the kernel's configuration.
fn pmu(name: &str) -> Step<u32> {
    let path = format!("/sys/bus/event_source/devices/{name}/type");
    let text = fs::read_to_string(&path).map_err(|_| Support::absent(format!("there is no {path}")))?;
    text.trim().parse().map_err(|_| Support::absent(format!("{path} holds no number")))
}

pub(super) fn kprobe() -> Support {
    let event = |pmu| Event { pmu, text: Some(SOME_FUNCTION), whole_cpu: true, ..Event::default() };
    answer(pmu("kprobe").and_then(|pmu| open("a kprobe", &event(pmu)).map(drop)))
}

/// Tried on a file in memory that no process has mapped, so that no code is touched.
pub(super) fn uprobe() -> Support {
    answer(pmu("uprobe").and_then(|pmu| {
        let mut file = os::memory_file(c"bpflua-uprobe").map_err(|err| Support::refused("memfd_create", &err))?;
        file.write_all(&[0; 64]).map_err(|err| Support::refused("write to a memfd", &err))?;
        let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap_or_default();
        open("a uprobe", &Event { pmu, text: Some(&path), whole_cpu: true, ..Event::default() }).map(drop)
    }))
}

pub(super) fn format_lost() -> Support {
    let event = Event { pmu: SOFTWARE, config: DUMMY, read_format: FORMAT_LOST, ..Event::default() };
    answer(open("an event with PERF_FORMAT_LOST", &event).map(drop))
}

/// Both ends of a perf buffer: a program that writes to one and the event that user space reads.
pub(super) fn buffer() -> Support {
    answer(maps::perf_event_array().and_then(|map| {
        let event = Event { pmu: SOFTWARE, config: BPF_OUTPUT, whole_cpu: true, ..Event::default() };
        open("a BPF output event", &event)?;
        load("a program that calls bpf_perf_event_output", &TRACEPOINT, &output_program(map.as_raw_fd())).map(drop)
    }))
}

/// `bpf_perf_event_output(ctx, map, 0, fp - 8, 8); return 0`
fn output_program(map_fd: i32) -> [Insn; 10] {
    let [first, second] = map(R2, map_fd);
    [
        store_on_stack(0),
        first,
        second,
        set(R3, 0),
        copy(R4, FP),
        add(R4, -8),
        set(R5, 8),
        call(PERF_EVENT_OUTPUT),
        set(R0, 0),
        exit(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::traceable;

    /// Whether the kernel lets a kprobe be placed there.
    fn takes_kprobe(pmu: u32, function: &str) -> bool {
        let name = CString::new(function).unwrap();
        perf::open(&Event { pmu, text: Some(&name), whole_cpu: true, ..Event::default() }).is_ok()
    }

    #[test]
    fn root_the_kernel_agrees_on_what_is_traceable() {
        let Ok(pmu) = pmu("kprobe") else {
            println!("skipped: this kernel has no kprobes");
            return;
        };
        let functions = traceable::shared().unwrap();
        if !takes_kprobe(pmu, "vfs_read") {
            println!("skipped: this process may not place kprobes");
            return;
        }
        let sample = |names: Vec<&str>| -> Vec<String> {
            let unique = names.iter().filter(|name| functions.symbols().count_functions(name) == 1);
            unique.step_by(names.len() / 50 + 1).map(|name| (*name).to_owned()).collect()
        };
        let mut refused = sample(functions.matching(".*").unwrap());
        refused.retain(|name| !takes_kprobe(pmu, name));
        assert!(refused.is_empty(), "called traceable, refused: {refused:?}");
        let names = functions.symbols().iter().map(|symbol| symbol.name);
        let mut taken = sample(names.filter(|name| functions.why_not(name).is_some()).collect());
        taken.retain(|name| takes_kprobe(pmu, name));
        assert!(taken.is_empty(), "called untraceable, taken: {taken:?}");
    }
}
