// SPDX-License-Identifier: Apache-2.0
//! The C texts, from the tools' own Python (`tests/conformance/extract`).

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::super::harness::{OneAtATime, root_folder};

/// All tools of a package, run for one kernel.
pub struct Tools {
    /// The package's version.
    pub version: String,
    /// Each tool with each of its argument lists.
    pub runs: Vec<Run>,
}

/// One run of a tool.
#[derive(Deserialize)]
pub struct Run {
    pub tool: String,
    pub arguments: String,
    pub texts: Vec<Text>,
    /// Why there is no text, or no more of it, in the tool's own words.
    pub why: Option<String>,
    /// The tool made its text only when told that the kernel has all it asks for.
    #[serde(default)]
    pub refuses: bool,
}

/// What a tool gave to `BPF(…)`, and what it did with it.
#[derive(Clone, Deserialize)]
pub struct Text {
    pub text: String,
    pub cflags: Vec<String>,
    pub operations: Vec<Operation>,
}

/// Something that a tool attached or loaded.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Operation {
    /// `kprobe`, `kretprobe`, `uprobe`, `uretprobe`, `tracepoint`, `raw_tracepoint`, `perf_event`, `usdt`, `load`.
    pub kind: String,
    pub fn_name: String,
    /// A function of the kernel.
    pub event: String,
    /// In place of it, a regular expression.
    pub event_re: Option<String>,
    pub offset: u64,
    /// `category:event`, or an event alone for raw tracepoints.
    pub tp: String,
    /// A program or library, and where in it.
    pub name: String,
    pub sym: String,
    pub addr: Option<u64>,
    /// Only in the process that the tool was pointed at.
    pub pid: bool,
    /// A USDT probe and the program that has it.
    pub probe: String,
    pub path: String,
    pub ev_type: u32,
    pub ev_config: u64,
    pub sample_period: u64,
    pub sample_freq: u64,
}

/// The program that tools of programs look at.
pub fn target(folder: &Path) -> PathBuf {
    folder.join("target")
}

/// Runs every tool with the stand-in for bcc.
pub fn extract(folder: &Path, kernel: &Path, package: &Path) -> Tools {
    let conformance = root_folder().join("tests/conformance");
    run(Command::new("cc").args(["-O1", "-o"]).arg(target(folder)).arg(conformance.join("target.c")));
    let file = folder.join("texts.json");
    // Tools that look for the processes of a runtime must find this run's, and no other's.
    let _alone = OneAtATime::runtimes();
    run(Command::new(conformance.join("extract")).arg(package).arg(kernel).arg(target(folder)).arg(&file));
    let runs = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    Tools { version: package.file_name().unwrap_or_default().to_string_lossy().into_owned(), runs }
}

fn run(command: &mut Command) {
    let ended = command.output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{command:?}: {}\n{told}", ended.status);
}
