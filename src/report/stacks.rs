// SPDX-License-Identifier: Apache-2.0
//! Stacks in a page: the flame graph, the functions that count most, and the stacks as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::escape::{escape, escape_markup};
use super::flamegraph::{Graph, svg};
use super::model::{Column, Stack, Stacks};
use super::table::table;
use crate::digits::thousands;
use crate::error::Result;

/// What the frame around a flame graph looks like; the drawing's colours are for light, its words are not.
const FRAME_STYLE: &str = include_str!("flamegraph_frame.css");
/// Functions in the table at most.
const MOST_FUNCTIONS: usize = 100;
/// Stacks written out at most.
const MOST_STACKS: usize = 1000;

/// A document of its own, so that its script sees nothing of the page.
fn frame(stacks: &Stacks, heading: &str, unit: &str) -> Result<String> {
    let drawn = svg(&Graph { title: " ", subtitle: None, unit, stacks: &stacks.stacks })?;
    let drawn = drawn.find("<svg").map_or("", |at| &drawn[at..]);
    let height = drawn.split("height=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("400");
    let height: u32 = height.parse().unwrap_or(400);
    let document = format!(
        "<!doctype html><meta charset=\"utf-8\"><meta name=\"color-scheme\" content=\"light dark\"><style>{FRAME_STYLE}</style>{drawn}"
    );
    Ok(format!(
        "<iframe class=\"flamegraph\" sandbox=\"allow-scripts\" title=\"Flame graph: {}\" height=\"{}\" srcdoc=\"{}\"></iframe>",
        escape(heading),
        height + 4,
        escape_markup(&document)
    ))
}

/// The functions by what they count themselves, and with all that they called.
fn functions(stacks: &[Stack], unit: &str) -> String {
    let mut counts: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    let mut all = 0.0;
    for stack in stacks {
        all += stack.value;
        // A function that calls itself counts once.
        for name in stack.frames.iter().collect::<BTreeSet<_>>() {
            counts.entry(name).or_default().1 += stack.value;
        }
        if let Some(innermost) = stack.frames.first() {
            counts.entry(innermost).or_default().0 += stack.value;
        }
    }
    let mut rows: Vec<(&str, f64, f64)> = counts.into_iter().map(|(name, (own, total))| (name, own, total)).collect();
    rows.sort_by(|a, b| b.1.total_cmp(&a.1).then(b.2.total_cmp(&a.2)).then(a.0.cmp(b.0)));
    let column = |title: &str, kind: &str, unit: Option<&str>, decimals| Column {
        title: title.to_owned(),
        kind: kind.to_owned(),
        unit: unit.map(str::to_owned),
        decimals,
    };
    let columns = [
        column("function", "string", None, None),
        column("itself", "number", Some(unit), Some(0)),
        column("share", "number", Some("%"), Some(1)),
        column("with callees", "number", Some(unit), Some(0)),
        column("share", "number", Some("%"), Some(1)),
    ];
    let share = |value: f64| if all > 0.0 { 100.0 * value / all } else { 0.0 };
    let cells = |(name, own, total): &(&str, f64, f64)| -> Vec<Value> {
        vec![json!(name), json!(own), json!(share(*own)), json!(total), json!(share(*total))]
    };
    let shown: Vec<Vec<Value>> = rows.iter().take(MOST_FUNCTIONS).map(cells).collect();
    let more = rows.len().saturating_sub(MOST_FUNCTIONS);
    let note = if more > 0 {
        format!("<p class=\"note\">{} functions that count less are not listed.</p>", thousands(more as u64))
    } else {
        String::new()
    };
    format!("<h3>Functions</h3>{}{note}", table(&columns, &shown))
}

fn text(stacks: &[Stack]) -> String {
    let mut sorted: Vec<&Stack> = stacks.iter().collect();
    sorted.sort_by(|a, b| b.value.total_cmp(&a.value));
    let mut out =
        format!("<details><summary>Stacks as text <span>{}</span></summary><pre>", thousands(sorted.len() as u64));
    for stack in sorted.iter().take(MOST_STACKS) {
        let _ = writeln!(out, "{:.0}  {}", stack.value, escape(stack.comm.as_deref().unwrap_or("")));
        for frame in &stack.frames {
            let _ = writeln!(out, "    {}", escape(frame));
        }
        out.push('\n');
    }
    if sorted.len() > MOST_STACKS {
        let _ =
            writeln!(out, "{} stacks that count less are not listed", thousands((sorted.len() - MOST_STACKS) as u64));
    }
    out + "</pre></details>"
}

/// The stacks under their heading.
///
/// # Errors
/// As [`svg`].
pub fn section(stacks: &Stacks) -> Result<String> {
    let heading = stacks.title.as_deref().unwrap_or("Stacks");
    let unit = stacks.unit.as_deref().unwrap_or("count");
    let count = thousands(stacks.stacks.len() as u64) + if stacks.stacks.len() == 1 { " stack" } else { " stacks" };
    Ok(format!(
        "<section class=\"stacks\"><h2>{} <span>{count}</span></h2>{}{}{}</section>",
        escape(heading),
        frame(stacks, heading, unit)?,
        functions(&stacks.stacks, unit),
        text(&stacks.stacks)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(frames: &[&str], value: f64) -> Stack {
        Stack { frames: frames.iter().map(|name| (*name).to_owned()).collect(), value, comm: None }
    }

    #[test]
    fn functions_count_themselves_and_what_they_call() {
        let drawn = functions(&[stack(&["f", "g", "f"], 6.0), stack(&["g"], 2.0)], "us");
        let row = |cells: &str| assert!(drawn.contains(cells), "{cells}: {drawn}");
        row(
            "<td>f</td><td class=\"n\" data-v=\"6.0\">6</td><td class=\"n\" data-v=\"75.0\">75.0</td><td class=\"n\" data-v=\"6.0\">6</td>",
        );
        row(
            "<td>g</td><td class=\"n\" data-v=\"2.0\">2</td><td class=\"n\" data-v=\"25.0\">25.0</td><td class=\"n\" data-v=\"8.0\">8</td>",
        );
    }

    #[test]
    fn the_graph_is_a_document_of_its_own() {
        let stacks = Stacks { stacks: vec![stack(&["\"></iframe><script>x"], 1.0)], ..Stacks::default() };
        let drawn = section(&stacks).unwrap();
        assert!(!drawn.contains("<script"), "{drawn}");
        assert_eq!(drawn.matches("</iframe>").count(), 1, "{drawn}");
        assert!(drawn.contains("sandbox=\"allow-scripts\""), "{drawn}");
    }
}
