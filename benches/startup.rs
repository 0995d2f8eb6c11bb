// SPDX-License-Identifier: Apache-2.0
//! How long it takes until a script's C text is compiled, and until its probes are attached, beside bpftrace.
//!
//! `cargo bench --bench startup` (as root, with bpftrace installed). The commands run by turns, so that a machine that
//! changes its speed changes it for all; what is told is the median of each, and its ratio to bpftrace's.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, reason = "a benchmark, not the program")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

const ROUNDS: usize = 15;
const BPFLUA: &str = env!("CARGO_BIN_EXE_bpflua");

/// A command with its name in the table.
struct Way {
    name: String,
    command: Vec<String>,
    millis: Vec<f64>,
    peak_kib: i64,
}

impl Way {
    fn new(name: impl Into<String>, command: &[&str]) -> Way {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        Way { name: name.into(), command, millis: Vec::new(), peak_kib: 0 }
    }

    /// Runs the command once: wall time and peak memory, as the kernel accounts them.
    fn run(&mut self) {
        let start = Instant::now();
        let mut child = Command::new(&self.command[0])
            .args(&self.command[1..])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.command[0]));
        let (status, peak_kib) = wait(&child);
        self.millis.push(start.elapsed().as_secs_f64() * 1e3);
        assert_eq!(status, 0, "`{}` failed", self.command.join(" "));
        self.peak_kib = self.peak_kib.max(peak_kib);
        let _ = child.try_wait();
    }
}

/// Waits for a child: its exit status and its peak resident memory in KiB.
fn wait(child: &std::process::Child) -> (i32, i64) {
    let mut status = 0;
    // SAFETY: rusage is plain data that the kernel fills; the child is ours and not yet waited for.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let pid = i32::try_from(child.id()).unwrap();
        assert_eq!(libc::wait4(pid, &raw mut status, 0, &raw mut usage), pid);
        (status, usage.ru_maxrss)
    }
}

fn main() {
    let has_bpftrace = Command::new("bpftrace").arg("--version").output().is_ok();
    let mut ways = Vec::new();
    if has_bpftrace {
        let program = "tracepoint:syscalls:sys_enter_clone { @ = count(); } BEGIN { exit(); }";
        ways.push(Way::new("bpftrace -e, to attached and back", &["bpftrace", "-e", program]));
    } else {
        println!("bpftrace is not installed: no ratios");
    }
    for example in examples() {
        let name = example.file_name().unwrap().to_string_lossy().into_owned();
        let path = example.to_string_lossy().into_owned();
        ways.push(Way::new(format!("check {name}, cold"), &[BPFLUA, "--no-cache", "check", &path]));
        ways.push(Way::new(format!("check {name}, cached"), &[BPFLUA, "check", &path]));
    }
    let attach = "local b = BPF{text = [[ BPF_HASH(n); TRACEPOINT_PROBE(syscalls, sys_enter_clone) \
                  { n.increment(0); return 0; } ]]}";
    ways.push(Way::new("-e, to attached and back, cold", &[BPFLUA, "--no-cache", "-e", attach]));
    ways.push(Way::new("-e, to attached and back, cached", &[BPFLUA, "-e", attach]));
    ways.push(Way::new("--version", &[BPFLUA, "--version"]));

    ways.iter_mut().for_each(Way::run);
    ways.iter_mut().for_each(|way| way.millis.clear());
    for _ in 0..ROUNDS {
        ways.iter_mut().for_each(Way::run);
    }
    print(&mut ways, has_bpftrace);
}

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut examples: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    examples.sort();
    examples
}

fn print(ways: &mut [Way], has_bpftrace: bool) {
    println!("wall ms, median of {ROUNDS} by turns (least - most); peak MiB; ratio to bpftrace");
    let mut base = None;
    for way in ways {
        way.millis.sort_by(f64::total_cmp);
        let median = way.millis[way.millis.len() / 2];
        let base = *base.get_or_insert(median);
        let ratio = if has_bpftrace { format!("{:6.2}", median / base) } else { String::new() };
        let (least, most) = (way.millis[0], way.millis[way.millis.len() - 1]);
        let peak = way.peak_kib as f64 / 1024.0;
        println!("{:40} {median:7.1} ({least:.1} - {most:.1})  {peak:6.1} {ratio}", way.name);
    }
}
