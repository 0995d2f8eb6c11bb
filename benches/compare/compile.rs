// SPDX-License-Identifier: Apache-2.0
//! The texts of bcc's tools, compiled by both: a part of the runs of `tests/conformance/peer`.

use super::model::{Row, Series};
use super::peers::{self, BPFLUA, PYTHON};
use super::{process, rounds};

/// Of so many runs of tools one is compared: all of them take ten minutes.
const EVERY: usize = 12;

pub fn rows() -> Vec<Row> {
    let mut row = Row::new("compile", "compile, median over the texts of bcc's tools", "ms of processor time");
    match table() {
        Ok(text) => read(&mut row, &text),
        Err(why) => {
            row.note(format!("Could not run: {why}"));
            row.must_beat(BPFLUA, PYTHON, 15.0);
        }
    }
    row.note("Whole processes, without a cache, against the types and the headers of Linux 6.1; `tests/conformance/peer` compares all texts.");
    vec![row]
}

fn table() -> Result<String, String> {
    let every = if rounds(EVERY) < EVERY { EVERY * 5 } else { EVERY };
    let output = peers::work().join("compile.md").display().to_string();
    let tool = peers::root().join("tests/conformance/peer").display().to_string();
    let mut command = process::command(&[tool, "--every".to_owned(), every.to_string(), output.clone()]);
    let ended = command
        .env("BPFLUA", peers::bpflua())
        .env_remove("BCC_KERNEL_SOURCE")
        .output()
        .map_err(|error| error.to_string())?;
    if !ended.status.success() {
        let words = String::from_utf8_lossy(&ended.stderr).into_owned();
        return Err(words.lines().last().unwrap_or("it failed").to_owned());
    }
    std::fs::read_to_string(output).map_err(|error| error.to_string())
}

/// `| bcc, whole process | 741 | 600, 1200 | 17.0 x (12.1, 20.3) |`
fn read(row: &mut Row, text: &str) {
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    for line in text.lines().filter(|line| line.starts_with("| bpflua, whole") || line.starts_with("| bcc, ")) {
        let cells = cells(line);
        let figures: Vec<f64> =
            cells[2..4].iter().flat_map(|cell| cell.split(", ")).filter_map(|n| n.parse().ok()).collect();
        row.series.push(Series::new(&cells[1], figures));
        if cells[1] == "bcc, whole process" {
            let ratio = cells[4].split(' ').next().and_then(|ratio| ratio.parse().ok()).unwrap_or(0.0);
            row.must("≥ 15 × better than bcc, text by text", &cells[4], ratio >= 15.0);
        }
    }
    row.note("The figures are the median and the fastest and slowest tenth of the texts.");
}
