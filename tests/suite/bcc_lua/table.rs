// SPDX-License-Identifier: Apache-2.0
//! The table of a folder and kernel, and whether it is still what it was.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::super::harness::{kernel_release, root_folder, skip};
use super::scripts::Scripts;
use super::{Case, Outcome, Row};

/// Compares with the table that is kept for this kernel series; prints it where none is kept.
pub fn check(part: &str, scripts: &Scripts, cases: &[Case], rows: &[Row]) {
    let release = kernel_release();
    let series: String = release.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    let table = write(&series, scripts, cases, rows);
    let kept = root_folder().join("tests/conformance/tables");
    let name = format!("lua-{part}-{series}");
    let updating = std::env::var_os("INSTA_UPDATE").is_some_and(|how| how == "always");
    if !updating && !kept.join(format!("{name}.snap")).exists() {
        println!("{table}");
        return skip(&format!("no table is kept for Linux {series}; it is printed above"));
    }
    insta::with_settings!({ snapshot_path => kept, prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, table);
    });
}

fn write(series: &str, scripts: &Scripts, cases: &[Case], rows: &[Row]) -> String {
    let works = rows.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Seen(_))).count();
    let mut text = format!(
        "bcc's {} under Linux {series}: {works} of {} runs do what they are for\n\n| script | works | what it shows, or why not |\n|---|---|---|\n",
        scripts.folder,
        rows.len()
    );
    for (name, outcome) in rows {
        let (word, what) = words(outcome);
        let _ = writeln!(text, "| {name} | {word} | {what} |");
    }
    if !cases.is_empty() {
        text += &others(scripts, cases);
    }
    text
}

/// The cells of an outcome.
pub fn words(outcome: &Outcome) -> (&'static str, String) {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    match outcome {
        Outcome::Seen(what) => ("yes", cell(what)),
        Outcome::Not(why) => ("no", cell(why)),
        Outcome::Unknown(why) => ("-", cell(why)),
    }
}

/// The Lua files of the folder that are of another contract.
fn others(scripts: &Scripts, cases: &[Case]) -> String {
    let ours: BTreeSet<&str> = cases.iter().map(|case| case.script).collect();
    let mut text = String::new();
    for name in scripts.names().iter().filter(|name| !ours.contains(name.as_str())) {
        let script = std::fs::read_to_string(scripts.path(name)).unwrap();
        assert!(!script.contains("return function(BPF"), "{name} has no case");
        assert!(
            script.contains("require('bpf')") || script.contains("require(\"bpf\")"),
            "{name} is of no known contract"
        );
        let _ = writeln!(text, "| {name} |");
    }
    if text.is_empty() {
        return text;
    }
    format!("\nOf another contract, `require('bpf')`, which compiles Lua to BPF:\n\n| script |\n|---|\n{text}")
}
