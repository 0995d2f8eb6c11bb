// SPDX-License-Identifier: Apache-2.0
//! Each tool as a program that starts, prints and ends: its object, run by `tests/conformance/start.lua`, ends by itself
//! after a while, and by Ctrl-C.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::super::harness::{Bpflua, bpflua, vm_series};
use super::attaching::Target;
use super::compiling::{JOBS, Job};
use super::outcome::Outcome;
use super::texts::Operation;

const SCRIPT: &str = "tests/conformance/start.lua";
const SECONDS: &str = "0.2";
const WORKERS: usize = 4;

/// Starts each tool that this kernel loads and attaches, once with the first text of it for which that holds. Gives how
/// many there were.
pub fn start_all(folder: &Path, outcomes: &[Outcome]) -> usize {
    let jobs: Vec<Job> = serde_json::from_slice(&std::fs::read(folder.join(JOBS)).unwrap()).unwrap();
    let mut tools: BTreeMap<&str, (PathBuf, &[Operation])> = BTreeMap::new();
    for (job, outcome) in jobs.iter().zip(outcomes) {
        let Ok(object) = &job.object else { continue };
        let works = outcome.loaded.is_all() && outcome.attached.is_all() && outcome.attached.of > 0;
        if let (true, Some((_, tool))) = (works, object.trim_end_matches(".o").split_once('-')) {
            tools.entry(tool).or_insert_with(|| (folder.join(object), &job.operations));
        }
    }
    let process = Target::start(folder);
    let left = Mutex::new(tools.iter().enumerate());
    let worker = || {
        loop {
            let Some((number, (tool, (object, operations)))) = left.lock().unwrap().next() else { return };
            let file = folder.join(format!("{tool}.operations.lua"));
            std::fs::write(&file, in_lua(operations)).unwrap();
            let command = || bpflua([SCRIPT]).arg(object).arg(&file).arg(process.pid().to_string());
            // An emulated kernel takes its time: there each ends in one of the two ways.
            let only = vm_series().map(|_| number % 2);
            if only != Some(1) {
                ends_by_itself(command());
            }
            if only != Some(0) {
                ends_by_a_signal(command());
            }
        }
    };
    std::thread::scope(|scope| (0..WORKERS).for_each(|_| drop(scope.spawn(worker))));
    tools.len()
}

fn ends_by_itself(command: Bpflua) {
    let ended = command.arg(SECONDS).run().expect(0);
    assert!(ended.stdout.contains("attached ") && ended.stdout.ends_with("ended by timeout\n"), "{ended:?}");
}

fn ends_by_a_signal(command: Bpflua) {
    let mut running = command.start();
    running.until("it is attached", |output| output.contains("attached ").then_some(()));
    running.until_in_its_loop();
    let ended = running.interrupt().expect(0);
    assert!(ended.stdout.ends_with("ended by interrupted\n"), "{ended:?}");
}

/// The operations as a Lua table.
fn in_lua(operations: &[Operation]) -> String {
    let mut text = "return {\n".to_owned();
    for one in operations {
        let words = [
            ("kind", one.kind.as_str()),
            ("fn_name", &one.fn_name),
            ("event", &one.event),
            ("event_re", one.event_re.as_deref().unwrap_or_default()),
            ("tp", &one.tp),
            ("name", &one.name),
            ("sym", &one.sym),
            ("probe", &one.probe),
            ("path", &one.path),
        ];
        let numbers = [
            ("offset", one.offset),
            ("addr", one.addr.unwrap_or_default()),
            ("ev_type", one.ev_type.into()),
            ("ev_config", one.ev_config),
            ("sample_period", one.sample_period),
            ("sample_freq", one.sample_freq),
        ];
        let sampled = one.kind == "perf_event";
        text += "    {";
        for (name, word) in words.into_iter().filter(|(_, word)| !word.is_empty()) {
            let _ = write!(text, "{name} = {word:?}, ");
        }
        for (name, number) in
            numbers.into_iter().filter(|(name, number)| *number != 0 || sampled && name.starts_with("ev_"))
        {
            let _ = write!(text, "{name} = {number}, ");
        }
        let _ = writeln!(text, "pid = {}}},", one.pid);
    }
    text + "}\n"
}
