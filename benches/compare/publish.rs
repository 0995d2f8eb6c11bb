// SPDX-License-Identifier: Apache-2.0
//! The page: `docs/performance.md`, with a plot for each row in `docs/performance/`.

use std::fmt::Write as _;
use std::fs;

use serde::{Deserialize, Serialize};

use super::model::Row;
use super::{machine, peers, svg, table};

/// A family's last figures.
#[derive(Serialize, Deserialize)]
pub struct Kept {
    pub measured: String,
    pub load: String,
    pub rows: Vec<Row>,
}

const HEAD: &str = "# Performance

bpflua beside bcc's Python and Lua, bpftrace, and C with libbpf. One command measures all of it and writes this page:
`benches/run --publish` (as root; `benches/README.md` tells more). The sides of a row run by turns in one run, and what counts is
their ratio, round by round: medians, with quartiles in brackets. The times themselves are this machine's.
";

/// Prints the verdicts of all rows that were measured last; with `publish` writes the page, too.
pub fn write(families: &[&str], publish: bool) {
    let kept: Vec<Kept> = families.iter().filter_map(|family| read(family)).collect();
    let rows: Vec<&Row> = kept.iter().flat_map(|kept| &kept.rows).collect();
    let goals = || rows.iter().flat_map(|row| row.goals.iter().map(move |goal| (row, goal)));
    let count = |passes| goals().filter(|(_, goal)| goal.passes == passes).count();
    println!("\n{} reached, {} missed, {} not measured", count(Some(true)), count(Some(false)), count(None));
    for (row, goal) in goals().filter(|(_, goal)| goal.passes != Some(true)) {
        println!("  {:5} {}: {}: {}", table::verdict(goal), row.id, goal.must, goal.reached);
    }
    if publish {
        let folder = peers::root().join("docs");
        fs::create_dir_all(folder.join("performance")).unwrap();
        for row in &rows {
            fs::write(folder.join(format!("performance/{}.svg", row.id)), svg::plot(row)).unwrap();
        }
        fs::write(folder.join("performance.md"), page(&kept)).unwrap();
        println!("wrote docs/performance.md");
    }
}

fn read(family: &str) -> Option<Kept> {
    let text = fs::read_to_string(peers::work().join(format!("rows/{family}.json"))).ok()?;
    serde_json::from_str(&text).ok()
}

fn page(kept: &[Kept]) -> String {
    let mut text = format!("{HEAD}\n{}. {}.\n\n", machine::about(), peers::versions().join(", "));
    text.push_str("## What had to be reached, and what was\n\n| what | must reach | reached | |\n|---|---|---|---|\n");
    for row in kept.iter().flat_map(|kept| &kept.rows) {
        for goal in &row.goals {
            let verdict = table::verdict(goal);
            let _ = writeln!(
                text,
                "| [{}](#{}) | {} | {} | {verdict} |",
                row.title,
                anchor(&row.title),
                goal.must,
                goal.reached
            );
        }
    }
    text.push_str("\n## Each row\n");
    for kept in kept {
        for row in &kept.rows {
            let _ = write!(text, "\n{}", table::section(row));
            let _ = writeln!(text, "- Measured {}, {}.", kept.measured, kept.load);
        }
    }
    text
}

/// What a heading is reached by.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}
