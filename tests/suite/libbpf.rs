// SPDX-License-Identifier: Apache-2.0
//! Programs as libbpf's users write them (`tests/libbpf/NAME.bpf.c`), one or more for each kind: whether they compile, load,
//! attach, and whether their drivers (`NAME.lua`) see the truth. The table of a known kernel is a golden file.

use std::path::PathBuf;

use super::harness::{Bpflua, Ended, Need, bpflua, missing, record, root_folder, vm_series};

/// What a kernel may be without, in the words of an error; any other failure is ours.
const LACKING: &[&str] = &[
    "this kernel has no ",
    "this kernel refuses programs of this kind",
    "this kernel does not know programs of this kind",
    "this machine has no ",
    "in the kernel's BTF",
    "may not call that helper in this kernel",
];

/// Programs that take a kernel of 6.9 or newer.
const OLDER: &[&str] = &["arena", "kptr", "netfilter", "open_coded", "promises", "rbtree", "task_iterator"];

/// How far a program came.
struct Outcome {
    name: String,
    /// `compiled`, `loaded`, `attached`, `checked`.
    steps: Vec<&'static str>,
    /// What was checked, or why it came no further.
    words: String,
}

impl Outcome {
    fn line(&self) -> String {
        format!("{}: {}: {}\n", self.name, self.steps.join(", "), self.words)
    }
}

fn folder() -> PathBuf {
    root_folder().join("tests/libbpf")
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap().flatten();
    let files = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = files.filter_map(|file| Some(file.strip_suffix(".bpf.c")?.to_owned())).collect();
    names.sort_unstable();
    names
}

/// The headline of an error, which a table has room for.
fn headline(ended: &Ended) -> String {
    let line = ended.stderr.lines().find_map(|line| line.strip_prefix("error: "));
    line.unwrap_or_else(|| panic!("no error is told:\n{}", ended.stderr)).to_owned()
}

fn in_folder(command: Bpflua) -> Ended {
    command.current_dir(&folder()).run()
}

fn try_out(name: &str) -> Outcome {
    let text = format!("{name}.bpf.c");
    let mut outcome = Outcome { name: name.to_owned(), steps: Vec::new(), words: String::new() };
    let loaded = in_folder(bpflua(["check", "--load", &text]));
    assert!(!loaded.stderr.contains("warning: "), "{text} compiles without a warning:\n{}", loaded.stderr);
    if !loaded.stderr.contains("does not compile") {
        outcome.steps.push("compiled");
    }
    if loaded.status != Some(0) {
        outcome.words = headline(&loaded);
        return outcome;
    }
    outcome.steps.push("loaded");
    let sandbox = folder().join("sandbox");
    let ended = in_folder(Bpflua::under(&[sandbox.to_str().unwrap()], [format!("{name}.lua")]));
    if ended.stdout.contains("step: attached\n") {
        outcome.steps.push("attached");
    }
    let told = |what: &str| ended.stdout.lines().find_map(|line| line.strip_prefix(what).map(str::to_owned));
    if let Some(checked) = told("checked: ") {
        assert_eq!(ended.status, Some(0), "{name}:\n{}", ended.stderr);
        outcome.steps.push("checked");
        outcome.words = checked;
    } else {
        outcome.words = told("lacks: ").unwrap_or_else(|| headline(&ended));
    }
    outcome
}

#[test]
fn root_programs_for_libbpf() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs, Need::X86, Need::Tool("unshare"), Need::Tool("ip")]) {
        return;
    }
    let outcomes: Vec<Outcome> = names().iter().map(|name| try_out(name)).collect();
    assert!(outcomes.len() >= 25, "{} programs", outcomes.len());
    for outcome in &outcomes {
        record(&format!("libbpf: {}", outcome.name), "-", &outcome.steps.join(", "), &outcome.words);
    }
    // Of a kernel with a golden file every line is known.
    if let Some(series) = vm_series().filter(|series| golden_file(series).exists()) {
        let table: String = outcomes.iter().map(Outcome::line).collect();
        golden(&format!("libbpf-{series}"), &table);
        return;
    }
    let wrong: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.steps.contains(&"checked"))
        .filter(|outcome| !LACKING.iter().any(|words| outcome.words.contains(words)))
        // Older kernels have not all the types, and verifiers that promise less.
        .filter(|outcome| vm_series().is_none() || !OLDER.contains(&outcome.name.as_str()))
        .map(Outcome::line)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

fn golden_file(series: &str) -> PathBuf {
    root_folder().join(format!("tests/runtime/libbpf/libbpf-{series}.snap"))
}

/// Compares with `tests/runtime/libbpf/NAME.snap`.
fn golden(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../runtime/libbpf");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
