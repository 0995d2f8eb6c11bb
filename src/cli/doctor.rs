// SPDX-License-Identifier: Apache-2.0
//! `bpflua doctor`: the machine's report as text.

use std::io::Write;
use std::process::ExitCode;

use crate::kernel::report::{MachineReport, Row, Section, Verdict};

/// Prints the report. What the machine lacks is no failure of the command.
pub fn main() -> ExitCode {
    let text = render(&MachineReport::collect().sections);
    // A reader that went away has seen enough.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn render(sections: &[Section]) -> String {
    let rows = sections.iter().flat_map(|section| &section.rows);
    let width = rows.map(|row| row.topic.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for section in sections {
        if !text.is_empty() {
            text.push('\n');
        }
        text += &format!("{}\n", section.title);
        section.rows.iter().for_each(|row| text += &render_row(row, width));
    }
    text
}

fn render_row(row: &Row, width: usize) -> String {
    let mark = match row.verdict {
        Verdict::Good => "yes ",
        Verdict::Limited => "part",
        Verdict::Missing => "no  ",
    };
    let mut text = format!("  {mark}  {:width$}  {}\n", row.topic, row.found);
    for advice in &row.advice {
        text += &format!("        {:width$}  hint: {advice}\n", "");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_aligned_and_advice_stands_below() {
        let row = |topic, verdict, advice: &[&str]| Row {
            topic,
            verdict,
            found: "found".to_owned(),
            advice: advice.iter().map(|line| (*line).to_owned()).collect(),
        };
        let rows = vec![row("BTF", Verdict::Good, &[]), row("kprobes", Verdict::Missing, &["use tracepoints"])];
        let text = render(&[Section { title: "kernel", rows }, Section { title: "more", rows: Vec::new() }]);
        assert_eq!(
            text,
            "kernel\n  yes   BTF      found\n  no    kprobes  found\n                 hint: use tracepoints\n\nmore\n"
        );
    }
}
