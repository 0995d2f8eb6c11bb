// SPDX-License-Identifier: Apache-2.0
//! The tests that are written in Lua: `tests/lua/*.lua`, each a script of its own process.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::harness::skip;

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

/// Runs the files whose names do or do not begin with `root_`.
fn run_all(root: bool) {
    let mut failed = Vec::new();
    let mut took = Vec::new();
    for name in shared_out(names(root)) {
        let start = Instant::now();
        let output = Command::new(env!("CARGO_BIN_EXE_bpflua")).arg(&name).current_dir(folder()).output().unwrap();
        took.push((start.elapsed(), name.clone()));
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
    // Past the test runner, which keeps what is printed to itself.
    let _ = writeln!(std::io::stderr(), "{count} files took {seconds} s; the slowest: {}", slowest.join(", "));
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
