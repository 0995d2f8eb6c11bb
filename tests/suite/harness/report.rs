// SPDX-License-Identifier: Apache-2.0
//! The table of what was tried: example × kernel × mechanism, as the tests saw it, also in `target/test-report.md`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;

use super::needs::{kernel_release, vm_series};

/// How a row leaves a virtual machine, where nothing written stays.
const PREFIX: &str = "test-report: ";

/// Example, kernel, mechanism asked for; and what was seen.
static ROWS: Mutex<BTreeMap<[String; 3], [String; 2]>> = Mutex::new(BTreeMap::new());

/// Notes what an example did on the running kernel. `asked` is a mechanism or `auto`; `by` is how it was attached.
pub fn record(example: &str, asked: &str, by: &str, outcome: &str) {
    let kernel = kernel_release();
    let row = [example, &kernel, asked, by, outcome].map(str::to_owned);
    if vm_series().is_some() {
        // On a line of its own, and not held back by the test runner.
        let _ = writeln!(std::io::stdout(), "\n{PREFIX}{}", row.join(" | "));
    }
    add(row);
}

/// Notes a row that a test in a virtual machine printed; false when the line is none.
pub fn adopt(line: &str) -> bool {
    let Some(row) = line.strip_prefix(PREFIX) else { return false };
    let cells: Vec<String> = row.splitn(5, " | ").map(str::to_owned).collect();
    add(cells.try_into().unwrap_or_else(|_| panic!("a row of five: {line}")));
    true
}

fn add([example, kernel, asked, by, outcome]: [String; 5]) {
    ROWS.lock().unwrap().insert([example, kernel, asked], [by, outcome]);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    std::fs::write(target.join("test-report.md"), table()).unwrap();
}

/// The table so far.
pub fn table() -> String {
    let mut text = "| example | kernel | mechanism= | attached by | outcome |\n|---|---|---|---|---|\n".to_owned();
    for ([example, kernel, asked], [by, outcome]) in ROWS.lock().unwrap().iter() {
        text += &format!("| {example} | {kernel} | {asked} | {by} | {outcome} |\n");
    }
    text
}
