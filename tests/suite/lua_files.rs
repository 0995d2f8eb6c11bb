// SPDX-License-Identifier: Apache-2.0
//! The tests that are written in Lua: `tests/lua/*.lua`, each a script of its own process.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use super::harness::{skip, vm_series};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua")
}

/// The files whose names do or do not begin with `root_`, sorted.
fn names(root: bool) -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".lua") && name != "harness.lua" && name.starts_with("root_") == root);
    names.sort();
    names
}

/// In a virtual machine that shares the work with another (`BPFLUA_TEST_SHARE`, such as `0/2`): the tests of tools, and this
/// machine's share of the rest. Everything runs on this kernel, and on all with `tests/run --all-kernels`.
fn shared_out(names: Vec<String>) -> Vec<String> {
    let Ok(share) = std::env::var("BPFLUA_TEST_SHARE") else { return names };
    let (mine, of) = share.split_once('/').unwrap();
    let (mine, of): (usize, usize) = (mine.parse().unwrap(), of.parse().unwrap());
    let (tools, others): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name.starts_with("root_tool_"));
    let others = others.into_iter().enumerate().filter(|(at, _)| at % of == mine);
    tools.into_iter().chain(others.map(|(_, name)| name)).collect()
}

/// The seconds that a file may take, under emulation on a busy machine; the slowest takes 30 here.
const DEADLINE_SECONDS: &str = "300";

/// Runs one file, and ends it at the deadline: one that hangs must not take all others with it.
fn run(name: &str) -> Output {
    let mut command = Command::new("timeout");
    command.args(["--foreground", "--signal=KILL", DEADLINE_SECONDS, env!("CARGO_BIN_EXE_bpflua"), name]);
    command.current_dir(folder()).output().unwrap()
}

/// Runs the files whose names do or do not begin with `root_`.
fn run_all(root: bool) {
    let mut failed = Vec::new();
    let mut took = Vec::new();
    for name in shared_out(names(root)) {
        let start = Instant::now();
        let output = run(&name);
        took.push((start.elapsed(), name.clone()));
        if vm_series().is_some() {
            tell(&format!("{name}: {} after {} s", output.status, start.elapsed().as_secs()));
        }
        for reason in String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.strip_prefix("skipped: "))
        {
            skip(&format!("{name}: {reason}"));
        }
        if !output.status.success() {
            failed.push(format!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(!took.is_empty(), "no Lua tests found");
    tell_slowest(took);
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Where the time went, for those who wait for it.
fn tell_slowest(mut took: Vec<(Duration, String)>) {
    let all: Duration = took.iter().map(|(time, _)| *time).sum();
    took.sort();
    let slowest: Vec<_> = took.iter().rev().take(12).map(|(time, name)| format!("{name} {}", time.as_secs())).collect();
    let (count, seconds) = (took.len(), all.as_secs());
    tell(&format!("{count} files took {seconds} s; the slowest: {}", slowest.join(", ")));
}

/// Past the test runner, which keeps what is printed to itself.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

#[test]
fn files_without_a_kernel() {
    run_all(false);
}

#[test]
fn root_files_with_a_kernel() {
    // SAFETY: no arguments, no memory.
    if unsafe { libc::geteuid() } != 0 {
        skip("it needs root");
        return;
    }
    run_all(true);
}
