// SPDX-License-Identifier: Apache-2.0
//! The page: one file that needs no other, in light and dark.

use std::fmt::Write as _;

use super::escape::{escape, fill};
use super::model::{Page, Section};
use super::{histogram, stacks, table};
use crate::error::Result;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A time as a person says it.
fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let minutes = (seconds / 60.0).floor();
    if minutes < 60.0 {
        return format!("{minutes:.0} min {:.0} s", (seconds - minutes * 60.0).floor());
    }
    let hours = (minutes / 60.0).floor();
    format!("{hours:.0} h {:.0} min", minutes - hours * 60.0)
}

fn facts(page: &Page) -> String {
    let facts = [
        ("Command", format!("<code>{}</code>", escape(&page.command))),
        ("Host", escape(&page.host)),
        ("Kernel", escape(&page.kernel)),
        ("Started", escape(&page.started)),
        ("Duration", duration(page.duration)),
        ("Lost", if page.losses.is_empty() { "nothing".to_owned() } else { "see below".to_owned() }),
    ];
    let mut out = String::new();
    for (name, value) in facts {
        let _ = write!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    out
}

fn list(class: &str, heading: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let items: String = lines.iter().map(|line| format!("<li>{}</li>", escape(line))).collect();
    format!("<aside class=\"{class}\"><strong>{heading}</strong><ul>{items}</ul></aside>")
}

fn messages(lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let text: String = lines.iter().map(|line| escape(line) + "\n").collect();
    format!(
        "<details class=\"messages\"><summary>Messages <span>{}</span></summary><pre>{text}</pre></details>",
        lines.len()
    )
}

/// The sections in their order; histograms that follow each other stand side by side.
fn sections(page: &Page) -> Result<String> {
    let mut out = String::new();
    let mut in_grid = false;
    for section in &page.sections {
        let is_figure = matches!(section, Section::Histogram(_));
        if is_figure != in_grid {
            out.push_str(if is_figure { "<section class=\"figures\">" } else { "</section>" });
            in_grid = is_figure;
        }
        out.push_str(&match section {
            Section::Rows(rows) => table::section(rows),
            Section::Histogram(shown) => histogram::figure(shown),
            Section::Stacks(shown) => stacks::section(shown)?,
        });
    }
    if in_grid {
        out.push_str("</section>");
    }
    if page.sections.is_empty() {
        out.push_str("<p class=\"note\">Nothing was seen.</p>");
    }
    Ok(out)
}

/// The page as HTML.
///
/// # Errors
/// A flame graph cannot be drawn, which is a bug.
pub fn render(page: &Page) -> Result<String> {
    Ok(fill(
        TEMPLATE,
        &[
            ("title", &format!("{} · {} · {}", escape(&page.tool), escape(&page.host), escape(&page.started))),
            ("tool", &escape(&page.tool)),
            ("summary", &escape(&page.summary)),
            ("version", &escape(&page.version)),
            ("style", STYLE),
            ("script", SCRIPT),
            ("facts", &facts(page)),
            ("losses", &list("losses", "Lost", &page.losses)),
            ("left_out", &list("left-out", "Not in this page", &page.left_out)),
            ("messages", &messages(&page.messages)),
            ("sections", &sections(page)?),
        ],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Page {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        let html = render(&page(r#"{"tool": "execsnoop", "sections": []}"#)).unwrap();
        for word in ["http:", "https:", "src=", "@import", "url("] {
            assert!(!html.contains(word), "{word}: {html}");
        }
        assert!(html.contains("default-src 'none'") && html.contains("Nothing was seen."), "{html}");
    }

    #[test]
    fn what_is_told_is_escaped() {
        let nasty = "<img src=x onerror=alert(1)>{{script}}";
        let fields = ["tool", "summary", "command", "host", "kernel", "started", "version"];
        let mut value = serde_json::json!({ "losses": [nasty], "messages": [nasty], "left_out": [nasty] });
        for field in fields {
            value[field] = nasty.into();
        }
        let html = render(&serde_json::from_value(value).unwrap()).unwrap();
        assert!(!html.contains("<img"), "{html}");
        assert_eq!(
            html.matches("&lt;img src=x onerror=alert(1)&gt;{{script}}").count(),
            fields.len() + 4 + 3,
            "{html}"
        );
    }

    #[test]
    fn histograms_stand_side_by_side() {
        let html = render(&page(
            r#"{"sections": [
                {"kind": "histogram", "buckets": [{"low": 0, "high": 1, "count": 2}]},
                {"kind": "histogram", "buckets": [{"low": 0, "high": 1, "count": 3}]},
                {"kind": "rows", "columns": [{"title": "PID", "kind": "integer"}], "rows": [[1]]},
                {"kind": "histogram", "buckets": [{"low": 0, "high": 1, "count": 4}]}]}"#,
        ))
        .unwrap();
        assert_eq!(html.matches("<section class=\"figures\">").count(), 2);
        assert_eq!(html.matches("<section").count(), html.matches("</section>").count());
        assert_eq!(html.matches("<figure>").count(), 3);
    }

    #[test]
    fn times_are_as_people_say_them() {
        assert_eq!([0.25, 59.0, 61.0, 7260.0].map(duration), ["0.2 s", "59.0 s", "1 min 1 s", "2 h 1 min"]);
    }
}
