// SPDX-License-Identifier: Apache-2.0
//! Rows as text: for a terminal, and as Markdown.

use std::fmt::Write as _;

use super::model::{Goal, Plot, Row, Series, number, quantile};

/// A row for a terminal.
pub fn of_row(row: &Row) -> String {
    let mut text = format!("\n{} [{}], {}\n", row.title, row.id, row.unit);
    for series in &row.series {
        let _ = writeln!(text, "  {:34} {}", series.who, figures(row, series).join("  "));
    }
    for goal in &row.goals {
        let _ = writeln!(text, "  {:5} {}: {}", verdict(goal), goal.must, goal.reached);
    }
    for note in &row.notes {
        let _ = writeln!(text, "  . {note}");
    }
    text
}

/// Median, quartiles, number of figures; or each figure of a line.
fn figures(row: &Row, series: &Series) -> Vec<String> {
    match row.plot {
        Plot::Bars => {
            let part = |part| number(quantile(&series.samples, part));
            vec![format!("{:>9}", part(0.5)), format!("({} – {}, n={})", part(0.25), part(0.75), series.samples.len())]
        }
        Plot::Lines => {
            let pairs = row.places.iter().zip(&series.samples);
            pairs.map(|(place, sample)| format!("{}: {}", number(*place), number(*sample))).collect()
        }
    }
}

pub fn verdict(goal: &Goal) -> &'static str {
    match goal.passes {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "?",
    }
}

/// A row as a section of the page.
pub fn section(row: &Row) -> String {
    let mut text = format!("### {}\n\n![{}](performance/{}.svg)\n\n", upper(&row.title), row.title, row.id);
    match row.plot {
        Plot::Bars => {
            let _ = writeln!(text, "| | median, {} | quartiles | least | runs |\n|---|---|---|---|---|", row.unit);
            for series in &row.series {
                let part = |part| number(quantile(&series.samples, part));
                let spread = format!("{} – {}", part(0.25), part(0.75));
                let runs = series.samples.len();
                let _ = writeln!(text, "| {} | {} | {spread} | {} | {runs} |", series.who, part(0.5), part(0.0));
            }
        }
        Plot::Lines => {
            let places: Vec<String> = row.places.iter().map(|place| number(*place)).collect();
            let _ = writeln!(text, "| {}, by {} | {} |", row.unit, row.place_unit, places.join(" | "));
            let _ = writeln!(text, "|---{}|", "|---".repeat(places.len()));
            for series in &row.series {
                let samples: Vec<String> = series.samples.iter().map(|sample| number(*sample)).collect();
                let _ = writeln!(text, "| {} | {} |", series.who, samples.join(" | "));
            }
        }
    }
    text.push('\n');
    row.notes.iter().for_each(|note| {
        let _ = writeln!(text, "- {note}");
    });
    text
}

fn upper(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
