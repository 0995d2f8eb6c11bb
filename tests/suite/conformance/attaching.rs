// SPDX-License-Identifier: Apache-2.0
//! Loads the objects into the running kernel and attaches them as the tools do.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use bpflua::bpf::{
    FunctionKind, KprobeEvent, KprobeTarget, LoadAs, Object, ObjectOptions, PerfEventTarget, ProgType, Typed,
    UprobePlace, UprobeTarget, UsdtSource, UsdtTarget,
};
use bpflua::error::{Error, Result, errno_name};

use super::compiling::{JOBS, Job};
use super::outcome::Outcome;
use super::texts::{Operation, target};

/// How the files begin where tools are told to pin maps (`{PIN}` of the arguments).
const PINS: &str = "bpflua-conformance";

const USDT: &str = "usdt";
const WORKERS: usize = 8;

/// What came of each job of the folder, in their order.
pub fn attach_all(folder: &Path) -> Vec<Outcome> {
    let jobs: Vec<Job> = serde_json::from_slice(&std::fs::read(folder.join(JOBS)).unwrap()).unwrap();
    let process = Target::start(folder);
    remove_pins();
    // Most of the time is spent in waiting until the kernel lets a detached program go.
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(number) else { return done };
            done.push((number, attach_one(folder, job, &process)));
        }
    };
    let mut outcomes: Vec<(usize, Outcome)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    remove_pins();
    outcomes.sort_by_key(|(number, _)| *number);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn attach_one(folder: &Path, job: &Job, process: &Target) -> Outcome {
    let mut outcome = Outcome::default();
    let name = match &job.object {
        Ok(name) => name,
        Err(reason) => return Outcome { not_compiled: Some(reason.clone()), ..outcome },
    };
    let options = ObjectOptions { name: name.trim_end_matches(".o").to_owned(), ..ObjectOptions::default() };
    match Object::create(std::fs::read(folder.join(name)).unwrap(), options) {
        Ok(mut object) => {
            load(&mut object, &job.operations, &mut outcome);
            attach(&mut object, &job.operations, process, &mut outcome);
        }
        Err(error) => {
            outcome.loaded.count(false);
            outcome.because(words(&error), "all");
        }
    }
    outcome
}

/// Removes what tools were told to pin, now or before.
fn remove_pins() {
    for entry in std::fs::read_dir("/sys/fs/bpf").into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PINS) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Each program that the tool uses, once for each way in which it is used.
fn load(object: &mut Object, operations: &[Operation], outcome: &mut Outcome) {
    let mut wanted: BTreeMap<String, LoadAs> = BTreeMap::new();
    for name in object.auto_functions() {
        let load_as = automatic(object, &name);
        wanted.insert(name, load_as);
    }
    // Programs of USDT probes are made for the places that they are attached at.
    for operation in operations.iter().filter(|operation| operation.kind != USDT) {
        wanted.insert(operation.fn_name.clone(), load_as(operation));
    }
    for (function, load_as) in wanted {
        let loaded = object.load_as(&function, &load_as);
        outcome.loaded.count(loaded.is_ok());
        if let Err(error) = loaded {
            outcome.because(words(&error), &function);
        }
    }
}

fn automatic(object: &Object, name: &str) -> LoadAs {
    match object.function(name).map(|function| &function.kind) {
        Ok(FunctionKind::Probe) => LoadAs::Kprobe,
        Ok(FunctionKind::Tracing(_)) => tracing(name),
        _ => LoadAs::Section,
    }
}

/// The target of `kfunc__MODULE__FUNCTION` and its like is in the name.
fn tracing(name: &str) -> LoadAs {
    let target = ["kfunc__", "kretfunc__"].iter().find_map(|prefix| name.strip_prefix(prefix)?.split_once("__"));
    target.map_or(LoadAs::Section, |(module, function)| LoadAs::Tracing(format!("{module}:{function}")))
}

fn load_as(operation: &Operation) -> LoadAs {
    match operation.kind.as_str() {
        "kprobe" | "kretprobe" => LoadAs::Kprobe,
        "uprobe" | "uretprobe" => LoadAs::Uprobe,
        "tracepoint" => LoadAs::Tracepoint,
        "raw_tracepoint" => LoadAs::RawTracepoint,
        "perf_event" => LoadAs::Typed(Typed::new(ProgType::parse("perf_event").unwrap())),
        _ => LoadAs::Section,
    }
}

fn attach(object: &mut Object, operations: &[Operation], process: &Target, outcome: &mut Outcome) {
    for function in object.auto_functions() {
        note(object.attach_auto(&function).map(|_| ()), &function, outcome);
    }
    for operation in operations {
        let attached = attach_as(object, operation, process);
        if operation.kind == USDT {
            outcome.loaded.count(attached.is_ok());
        }
        note(attached, &place(operation), outcome);
    }
}

fn note(attached: Result<()>, place: &str, outcome: &mut Outcome) {
    outcome.attached.count(attached.is_ok());
    if let Err(error) = attached {
        outcome.because(words(&error), place);
    }
}

/// What the operation attaches to.
fn place(operation: &Operation) -> String {
    let pattern = operation.event_re.as_deref().unwrap_or_default();
    let file = operation.name.rsplit('/').next().unwrap_or_default();
    let words = [&operation.event, pattern, &operation.tp, file, &operation.sym, &operation.probe];
    let named: Vec<&str> = words.into_iter().map(AsRef::as_ref).filter(|word: &&str| !word.is_empty()).collect();
    format!("{} {}", operation.kind, named.join(":"))
}

fn attach_as(object: &mut Object, operation: &Operation, process: &Target) -> Result<()> {
    let retprobe = operation.kind.contains("ret");
    let function = &operation.fn_name;
    let attached = match operation.kind.as_str() {
        "kprobe" | "kretprobe" => {
            let event = match &operation.event_re {
                Some(pattern) => KprobeEvent::Matching(pattern.clone()),
                None => KprobeEvent::Name(operation.event.clone()),
            };
            let target = KprobeTarget { event, offset: operation.offset, retprobe, ..KprobeTarget::function("") };
            object.attach_kprobe(&target, function)
        }
        "uprobe" | "uretprobe" => {
            let place = match operation.addr {
                Some(address) => UprobePlace::Address(address),
                None => UprobePlace::Symbol(operation.sym.clone(), operation.offset),
            };
            let pid = operation.pid.then(|| process.pid());
            object.attach_uprobe(&UprobeTarget { name: operation.name.clone(), place, pid, retprobe }, function)
        }
        "perf_event" => {
            let Operation { ev_type, ev_config, sample_period, sample_freq, .. } = *operation;
            let target = PerfEventTarget::sampling(ev_type, ev_config, sample_period, sample_freq, -1)?;
            object.attach_perf_event(&target, function)
        }
        USDT => {
            let pid = operation.pid.then(|| process.pid());
            let probes = UsdtSource { path: Some(operation.path.clone()), pid }.probes()?;
            let target = UsdtTarget { name: operation.probe.clone(), pid, ..UsdtTarget::default() };
            object.attach_usdt(&target, &probes, function)
        }
        "tracepoint" => object.attach_tracepoint(&operation.tp, function),
        "raw_tracepoint" => object.attach_raw_tracepoint(&operation.tp, function, 0),
        kind => panic!("a tool attaches a {kind}, which this test does not know"),
    };
    attached.map(|_| ())
}

/// Why, without the names that differ from row to row, and the line of the text that the verifier speaks of.
fn words(error: &Error) -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let why = if error.why().is_empty() { error.what() } else { error.why() };
    let why = why.replace(&format!(" ({})", release.trim()), "");
    let errno = error.errno().map(|errno| format!(" ({})", errno_name(errno)));
    let lines = error.locations().iter().map(|place| place.message.trim()).filter(|line| !line.is_empty());
    let place = lines.map(|line| format!(" at `{line}`")).next();
    format!("{why}{}{}", errno.unwrap_or_default(), place.unwrap_or_default())
}

/// The running program that tools are pointed at.
pub(super) struct Target(Child);

impl Target {
    pub(super) fn start(folder: &Path) -> Target {
        Target(Command::new(target(folder)).stdin(Stdio::piped()).spawn().unwrap())
    }

    pub(super) fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
