// SPDX-License-Identifier: Apache-2.0
//! What a page is made of.

use serde::Deserialize;
use serde_json::Value;

/// All that a run showed, and what it was.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Page {
    /// The tool's name.
    pub tool: String,
    /// What it shows, in a line.
    pub summary: String,
    /// The command as it was typed.
    pub command: String,
    /// The machine's name.
    pub host: String,
    /// The kernel's release and architecture.
    pub kernel: String,
    /// When it began, for people.
    pub started: String,
    /// Seconds that it ran.
    pub duration: f64,
    /// bpflua's version.
    pub version: String,
    /// What was lost, a sentence each.
    pub losses: Vec<String>,
    /// What the tool told its user beside the data.
    pub messages: Vec<String>,
    /// What was left out to keep the page small, a sentence each.
    pub left_out: Vec<String>,
    /// What was shown, in its order.
    pub sections: Vec<Section>,
}

/// Something that was shown.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Section {
    /// A table.
    Rows(Rows),
    /// A histogram.
    Histogram(Histogram),
    /// Stacks with what they count.
    Stacks(Stacks),
}

/// A table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Rows {
    /// A line above it.
    pub title: Option<String>,
    /// The time of a view that was drawn anew.
    pub at: Option<String>,
    /// An older view, shown folded.
    pub is_older: bool,
    /// The columns.
    pub columns: Vec<Column>,
    /// The cells of each row, in the order of the columns.
    pub rows: Vec<Vec<Value>>,
}

/// A column of a table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Column {
    /// The heading.
    pub title: String,
    /// What its values are: `integer`, `number`, `string`, `boolean`.
    pub kind: String,
    /// `us`, `bytes`, …
    pub unit: Option<String>,
    /// Decimals of a number.
    pub decimals: Option<u8>,
}

/// A histogram.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Histogram {
    /// A line above it.
    pub title: Option<String>,
    /// Which of several it is.
    pub section: Option<String>,
    /// What the values are: `usecs`.
    pub unit: Option<String>,
    /// When it was read.
    pub at: Option<String>,
    /// The buckets without a gap, the least values first.
    pub buckets: Vec<Bucket>,
}

/// A bucket of a histogram.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Bucket {
    /// The least value.
    pub low: f64,
    /// The greatest.
    pub high: f64,
    /// How many values there were.
    pub count: f64,
}

/// Stacks with what they count.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Stacks {
    /// A line above them.
    pub title: Option<String>,
    /// What the values are: `samples`, `us`, `bytes`.
    pub unit: Option<String>,
    /// The stacks.
    pub stacks: Vec<Stack>,
}

/// A stack.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Stack {
    /// The names of its frames, the innermost first.
    pub frames: Vec<String>,
    /// What it counts.
    pub value: f64,
    /// The process's name.
    pub comm: Option<String>,
}
