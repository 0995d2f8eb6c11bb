// SPDX-License-Identifier: Apache-2.0
//! Flame graphs, drawn by the inferno crate.

use inferno::flamegraph::{Options, color, from_lines};

use super::escape::{escape, printable};
use super::model::Stack;
use crate::error::{Error, Result};

/// A flame graph that is to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct Graph<'a> {
    /// The line at the top.
    pub title: &'a str,
    /// A smaller line below it.
    pub subtitle: Option<&'a str>,
    /// What the stacks count: `samples`, `us`, `bytes`.
    pub unit: &'a str,
    /// The stacks.
    pub stacks: &'a [Stack],
}

/// What a file with a flame graph says of the script that it carries.
const NOTICE: &str = "the script and the style in this file are a part of inferno (https://github.com/jonhoo/inferno), which is under the \
    Common Development and Distribution License 1.0 (https://opensource.org/license/cddl-1-0); this file is their source";

const UNKNOWN: &str = "[unknown]";

/// A name as the drawing takes it: `;` sets frames apart, and a number at the end of a line is what the line counts.
fn frame(name: &str, is_last: bool) -> String {
    let name = printable(name).replace(';', ":");
    let name = if name.trim().is_empty() { UNKNOWN.to_owned() } else { name };
    let digits = name.chars().rev().take_while(|c| c.is_ascii_digit() || *c == '.').count();
    let before = name.len() - digits;
    if is_last && digits > 0 && name[..before].ends_with(' ') {
        return format!("{}\u{a0}{}", &name[..before - 1], &name[before..]);
    }
    name
}

/// The stack as a line, or nothing when it counts nothing.
fn folded(stack: &Stack) -> Option<String> {
    let outermost_first: Vec<&str> =
        stack.comm.iter().map(String::as_str).chain(stack.frames.iter().rev().map(String::as_str)).collect();
    let last = outermost_first.len().checked_sub(1)?;
    let names: Vec<String> = outermost_first.iter().enumerate().map(|(at, name)| frame(name, at == last)).collect();
    (stack.value >= 1.0).then(|| format!("{} {:.0}", names.join(";"), stack.value.floor()))
}

/// The flame graph as an SVG file that needs nothing but itself: functions by their share, to be searched and zoomed.
///
/// # Errors
/// The drawing fails, which is a bug: any name and any number above 0 can be drawn.
pub fn svg(graph: &Graph<'_>) -> Result<String> {
    let mut lines: Vec<String> = graph.stacks.iter().filter_map(folded).collect();
    if lines.is_empty() {
        return Ok(nothing(graph.title));
    }
    lines.sort_unstable();
    let mut options = Options::default();
    options.title = printable(graph.title);
    options.subtitle = graph.subtitle.map(printable);
    options.count_name = printable(graph.unit);
    options.deterministic = true;
    NOTICE.clone_into(&mut options.notes);
    options.bgcolors = Some(color::BackgroundColor::Flat((250, 250, 248).into()));
    "ui-monospace, monospace".clone_into(&mut options.font_type);
    let mut drawn = Vec::new();
    from_lines(&mut options, lines.iter().map(String::as_str), &mut drawn)
        .map_err(|error| Error::bug("cannot draw the flame graph", error.to_string()))?;
    String::from_utf8(drawn).map_err(|error| Error::bug("cannot draw the flame graph", error.to_string()))
}

/// The picture of no stacks.
fn nothing(title: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"600\" height=\"80\" viewBox=\"0 0 600 80\">\
         <rect width=\"100%\" height=\"100%\" fill=\"#fafaf8\"/><g font-family=\"monospace\" text-anchor=\"middle\">\
         <text x=\"300\" y=\"32\" font-size=\"17\">{}</text><text x=\"300\" y=\"58\" font-size=\"12\">no stacks were seen</text></g></svg>\n",
        escape(title)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(frames: &[&str], value: f64) -> Stack {
        Stack { frames: frames.iter().map(|name| (*name).to_owned()).collect(), value, comm: Some("sh".to_owned()) }
    }

    fn draw(stacks: &[Stack]) -> String {
        svg(&Graph { title: "profile <1>", subtitle: None, unit: "samples", stacks }).unwrap()
    }

    #[test]
    fn the_licence_of_the_script_is_named() {
        let drawn = draw(&[stack(&["f"], 1.0)]);
        assert!(drawn.contains("<script") && drawn.contains("NOTES: the script and the style"), "{drawn}");
        assert!(drawn.contains("Common Development and Distribution License 1.0"), "{drawn}");
        // A comment of XML has no two hyphens in it.
        assert!(!NOTICE.contains("--"));
    }

    #[test]
    fn each_function_has_its_share() {
        let drawn = draw(&[stack(&["read", "main"], 3.0), stack(&["write", "main"], 1.0)]);
        for title in [
            "sh (4 samples, 100.00%)",
            "main (4 samples, 100.00%)",
            "read (3 samples, 75.00%)",
            "write (1 samples, 25.00%)",
        ] {
            assert!(drawn.contains(&format!("<title>{title}</title>")), "{title}: {drawn}");
        }
        assert!(drawn.contains("profile &lt;1&gt;"));
        assert_eq!(drawn, draw(&[stack(&["write", "main"], 1.0), stack(&["read", "main"], 3.0)]));
    }

    #[test]
    fn hostile_names_are_names() {
        let drawn = draw(&[stack(&["</text><script>alert(1)</script>", "a;b\u{1}\n", ""], 2.0)]);
        assert!(!drawn.contains("<script>alert"), "{drawn}");
        assert!(drawn.contains("<title>a:b\u{2401}\u{240a} (2 samples, 100.00%)</title>"), "{drawn}");
        assert!(drawn.contains("<title>[unknown] (2 samples, 100.00%)</title>"), "{drawn}");
    }

    #[test]
    fn a_number_in_a_name_is_not_what_it_counts() {
        let drawn = draw(&[stack(&["worker 10", "main 3"], 20.0), stack(&["worker 1.5", "main 3"], 20.0)]);
        assert!(drawn.contains("<title>worker\u{a0}10 (20 samples, 50.00%)</title>"), "{drawn}");
        assert!(drawn.contains("<title>worker\u{a0}1.5 (20 samples, 50.00%)</title>"), "{drawn}");
        assert!(drawn.contains("<title>main 3 (40 samples, 100.00%)</title>"), "{drawn}");
    }

    #[test]
    fn no_stacks_are_a_picture_too() {
        let drawn = draw(&[stack(&["f"], 0.0)]);
        assert!(drawn.contains("no stacks were seen") && drawn.contains("profile &lt;1&gt;"), "{drawn}");
    }
}
