// SPDX-License-Identifier: Apache-2.0
//! The table of a kernel, and whether it is still what it was.

use std::fmt::Write as _;
use std::path::Path;

use super::super::harness::{root_folder, skip};
use super::outcome::{Outcome, Share};
use super::texts::{Run, Tools};

/// Compares with the table that is kept for this kernel series; prints it where none is kept.
pub fn check(kernel: &Path, tools: &Tools, outcomes: &[Outcome]) {
    let release = std::fs::read_to_string(kernel.join("release")).unwrap();
    let series: String = release.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    let table = write(&series, tools, outcomes);
    let kept = root_folder().join("tests/conformance/tables");
    let updating = std::env::var_os("INSTA_UPDATE").is_some_and(|how| how == "always");
    if !updating && !kept.join(format!("{series}.snap")).exists() {
        println!("{table}");
        return skip(&format!("no table is kept for Linux {series}; it is printed above"));
    }
    insta::with_settings!({ snapshot_path => kept, prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(series, table);
    });
}

fn write(series: &str, tools: &Tools, outcomes: &[Outcome]) -> String {
    let mut outcomes = outcomes.iter();
    let mut rows = String::new();
    let mut silent = String::new();
    let mut total = Total::default();
    for run in &tools.runs {
        if run.texts.is_empty() {
            let _ = writeln!(silent, "| {} | {} |", name(run), cell(run.why.as_deref().unwrap_or("it makes no text")));
        }
        for (number, outcome) in run.texts.iter().zip(1..).map(|(_, number)| number).zip(&mut outcomes) {
            total.add(run, outcome);
            let which = if run.texts.len() > 1 { format!(" (text {number})") } else { String::new() };
            let _ = writeln!(rows, "| {}{which} | {} |", name(run), row(run, outcome));
        }
    }
    assert!(outcomes.next().is_none(), "more outcomes than texts");
    format!(
        "bpfcc-tools {} under Linux {series}\n\n{}\n| tool | compiled | loaded | attached | why not |\n|---|---|---|---|---|\n\
         {rows}\nTools without a text, and what they say:\n\n| tool | |\n|---|---|\n{silent}",
        tools.version,
        total.lines(),
    )
}

fn row(run: &Run, outcome: &Outcome) -> String {
    let refusal = run.why.as_deref().filter(|_| run.refuses);
    let refusal = refusal.map(|why| cell(&format!("the tool itself refuses this kernel: {why}")));
    if let Some(reason) = &outcome.not_compiled {
        return format!(
            "no | | | {}",
            [Some(cell(reason)), refusal].into_iter().flatten().collect::<Vec<_>>().join("<br>")
        );
    }
    let reasons = outcome.reasons.iter().map(|(reason, what)| cell(&format!("{reason}: {}", what.join(", "))));
    let reasons: Vec<String> = reasons.chain(refusal).collect();
    format!("yes | {} | {} | {}", share(outcome.loaded), share(outcome.attached), reasons.join("<br>"))
}

fn share(share: Share) -> String {
    match share {
        Share { of: 0, .. } => "-".to_owned(),
        share if share.is_all() => "yes".to_owned(),
        Share { done: 0, .. } => "no".to_owned(),
        Share { done, of } => format!("{done} of {of}"),
    }
}

fn name(run: &Run) -> String {
    cell(format!("{} {}", run.tool, run.arguments).trim())
}

/// Text that stays in its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Texts, and how many came how far.
#[derive(Default)]
struct Total {
    texts: usize,
    compiled: usize,
    loaded: usize,
    attached: usize,
    tools: std::collections::BTreeSet<String>,
}

impl Total {
    fn add(&mut self, run: &Run, outcome: &Outcome) {
        self.tools.insert(run.tool.clone());
        self.texts += 1;
        let compiled = outcome.not_compiled.is_none();
        let loaded = compiled && outcome.loaded.is_all();
        self.compiled += usize::from(compiled);
        self.loaded += usize::from(loaded);
        self.attached += usize::from(loaded && outcome.attached.is_all());
    }

    fn lines(&self) -> String {
        let percent = |part: usize| 100.0 * part as f64 / self.texts.max(1) as f64;
        format!(
            "{} texts of {} tools: {:.1} % compiled, {:.1} % loaded, {:.1} % attached\n",
            self.texts,
            self.tools.len(),
            percent(self.compiled),
            percent(self.loaded),
            percent(self.attached)
        )
    }
}
