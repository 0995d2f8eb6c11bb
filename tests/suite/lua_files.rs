// SPDX-License-Identifier: Apache-2.0
//! The tests that are written in Lua: `tests/lua/*.lua`, each a script of its own process.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::harness::skip;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua")
}

/// Runs the files whose names do or do not begin with `root_`.
fn run_all(root: bool) {
    let mut failed = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder()).unwrap().flatten() {
        let name = entry.file_name().into_string().unwrap();
        if !name.ends_with(".lua") || name == "harness.lua" || name.starts_with("root_") != root {
            continue;
        }
        count += 1;
        let output = Command::new(env!("CARGO_BIN_EXE_bpflua")).arg(&name).current_dir(folder()).output().unwrap();
        for reason in String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.strip_prefix("skipped: "))
        {
            skip(&format!("{name}: {reason}"));
        }
        if !output.status.success() {
            failed.push(format!("{name}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(count > 0, "no Lua tests found");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
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
