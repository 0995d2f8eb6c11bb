// SPDX-License-Identifier: Apache-2.0
//! What a report is made of.

/// How a matter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Works.
    Good,
    /// Works in part, or in a dearer way.
    Limited,
    /// Does not work.
    Missing,
}

/// One matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is about: `kprobes`.
    pub topic: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// What was found, in one line.
    pub found: String,
    /// What can be done about it or instead of it, a line each.
    pub advice: Vec<String>,
}

impl Row {
    pub(super) fn new(topic: &'static str, verdict: Verdict, found: impl Into<String>) -> Self {
        Row { topic, verdict, found: found.into(), advice: Vec::new() }
    }

    pub(super) fn good(topic: &'static str, found: impl Into<String>) -> Self {
        Row::new(topic, Verdict::Good, found)
    }

    pub(super) fn limited(topic: &'static str, found: impl Into<String>) -> Self {
        Row::new(topic, Verdict::Limited, found)
    }

    pub(super) fn missing(topic: &'static str, found: impl Into<String>) -> Self {
        Row::new(topic, Verdict::Missing, found)
    }

    /// Adds a line of advice.
    pub(super) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice.push(advice.into());
        self
    }

    /// Adds a line of advice if it holds.
    pub(super) fn advise_if(self, holds: bool, advice: impl Into<String>) -> Self {
        if holds { self.advise(advice) } else { self }
    }
}

/// Rows that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// Its rows.
    pub rows: Vec<Row>,
}
