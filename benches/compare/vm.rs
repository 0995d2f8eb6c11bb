// SPDX-License-Identifier: Apache-2.0
//! Rows that this machine's kernel cannot run, in a virtual machine of `tests/vm`. Its processor is emulated where there is no
//! KVM: only ratios are of use, and not those of compilers.

use std::process::Command;
use std::sync::atomic::Ordering;

use super::model::Row;
use super::{QUICK, peers, process};

/// The rows of a family: measured here when this is the machine, else by this very program inside of one.
pub fn rows(family: &str, series: &str, inside: fn() -> Vec<Row>) -> Vec<Row> {
    if std::env::var_os("BPFLUA_BENCH_VM").is_some() {
        return inside();
    }
    match run(family, series) {
        Ok(mut rows) => {
            rows.iter_mut().for_each(|row| row.note(format!("Measured in a virtual machine with Linux {series}.")));
            rows
        }
        Err(why) => {
            let mut row = Row::new(family, &format!("{family}, in a virtual machine"), "");
            row.note(format!("Could not run: {why}"));
            row.must("to be measured", why, false);
            vec![row]
        }
    }
}

fn run(family: &str, series: &str) -> Result<Vec<Row>, String> {
    let root = peers::root();
    let headers = headers(series)?;
    let bench = std::env::current_exe().map_err(|error| error.to_string())?.display().to_string();
    let mut command = Command::new(root.join("tests/vm/run"));
    command.args(["--kernel", series, "--timeout", "900", "--env", "BPFLUA_BENCH_VM=1"]);
    command.args(["--env", &format!("BCC_KERNEL_SOURCE={headers}"), "--env", &format!("BPFLUA={}", peers::bpflua())]);
    command.args([&bench, "--inside", family]);
    if QUICK.load(Ordering::Relaxed) {
        command.arg("--quick");
    }
    let text = output(command)?;
    let line = text.lines().rev().find(|line| line.starts_with('[')).ok_or_else(|| format!("it printed `{text}`"))?;
    serde_json::from_str(line).map_err(|error| error.to_string())
}

/// The headers of a kernel as bcc wants them: those of its architecture and those of all in one folder.
fn headers(series: &str) -> Result<String, String> {
    let tool = peers::root().join("tests/vm/headers").display().to_string();
    let own = output(process::command(&[tool, series.to_owned()]))?.trim().to_owned();
    let common = own.rsplit_once("-cloud-").map_or_else(|| own.clone(), |(stem, _)| format!("{stem}-common"));
    let whole = peers::work().join(format!("headers-{series}")).display().to_string();
    if !std::path::Path::new(&whole).exists() {
        let partly = format!("{whole}.partly");
        for folder in [&common, &own] {
            output(process::command(&["mkdir", "-p", &partly]))?;
            output(process::command(&["cp", "-a", &format!("{folder}/."), &partly]))?;
        }
        std::fs::rename(partly, &whole).map_err(|error| error.to_string())?;
    }
    Ok(whole)
}

fn output(mut command: Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{:?}: {error}", command.get_program()))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{}: {}", output.status, words.lines().rev().take(3).collect::<Vec<_>>().join(" / ")))
}
