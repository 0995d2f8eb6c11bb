// SPDX-License-Identifier: Apache-2.0
//! How far a compilation has come, for the report of one that ended in a fault.
//!
//! The compiler's process writes a line to its error output when it enters a stage; its parent reads the last of them. Each has its
//! time, too, from which `-vv` tells how long the stages took.

use std::io::{self, Write as _};
use std::time::Duration;

use crate::timings::{self, Phase};

/// What a line about a stage begins with.
const MARK: &str = "bpflua stage ";

/// A part of a compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// What goes before the text is written.
    Declarations,
    /// clang reads the text.
    FrontEnd,
    /// LLVM optimises.
    Optimiser,
    /// LLVM writes the object.
    CodeGenerator,
    /// Our own passes.
    Passes,
    /// The object is ready.
    HandOver,
}

impl Stage {
    const ALL: [Stage; 6] =
        [Stage::Declarations, Stage::FrontEnd, Stage::Optimiser, Stage::CodeGenerator, Stage::Passes, Stage::HandOver];

    /// Notes that it begins.
    pub fn enter(self) {
        // One that cannot be noted is told as unknown.
        let _ = writeln!(io::stderr(), "{MARK}{}: {}", timings::elapsed().unwrap_or_default().as_nanos(), self.words());
    }

    /// The one that a compiler was in, from what it wrote to its error output.
    pub fn last(words: &str) -> Option<Stage> {
        words.lines().rev().find_map(Self::entered).map(|(stage, _)| stage)
    }

    /// The stage that a line is about, and when it was entered.
    fn entered(line: &str) -> Option<(Stage, Duration)> {
        let (time, words) = line.strip_prefix(MARK)?.split_once(": ")?;
        let stage = Self::ALL.into_iter().find(|stage| stage.words() == words)?;
        Some((stage, Duration::from_nanos(time.parse().ok()?)))
    }

    /// Gives each stage its time, from what a compiler wrote that ended at `end`.
    pub fn charge(words: &str, end: Duration) {
        let entered: Vec<(Stage, Duration)> = words.lines().filter_map(Self::entered).collect();
        let ends = entered.iter().skip(1).map(|(_, time)| *time).chain([end]);
        for ((stage, start), end) in entered.iter().zip(ends) {
            timings::charge(stage.phase(), end.saturating_sub(*start));
        }
    }

    fn phase(self) -> Phase {
        match self {
            Stage::Declarations => Phase::Declarations,
            Stage::FrontEnd => Phase::FrontEnd,
            Stage::Optimiser => Phase::Optimiser,
            Stage::CodeGenerator => Phase::CodeGenerator,
            Stage::Passes => Phase::Passes,
            Stage::HandOver => Phase::CompilerProcess,
        }
    }

    /// The lines that are not about stages.
    pub fn others(words: &str) -> impl Iterator<Item = &str> {
        words.lines().filter(|line| !line.starts_with(MARK) && !line.trim().is_empty())
    }

    /// Whether it runs code of clang's and LLVM's, not ours.
    pub fn is_the_compilers(self) -> bool {
        matches!(self, Stage::FrontEnd | Stage::Optimiser | Stage::CodeGenerator)
    }

    /// Behind "crashed while".
    pub fn words(self) -> &'static str {
        match self {
            Stage::Declarations => "bpflua wrote the types that it needs",
            Stage::FrontEnd => "clang read it",
            Stage::Optimiser => "LLVM optimised it",
            Stage::CodeGenerator => "LLVM wrote the object",
            Stage::Passes => "bpflua's passes ran",
            Stage::HandOver => "bpflua handed the object over",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_counts() {
        let words = "bpflua stage 7: clang read it\nsome words\n\nbpflua stage 1200: LLVM optimised it\n";
        assert_eq!(Stage::last(words), Some(Stage::Optimiser));
        assert_eq!(Stage::others(words).collect::<Vec<_>>(), ["some words"]);
        assert_eq!(Stage::entered("bpflua stage 7: clang read it"), Some((Stage::FrontEnd, Duration::from_nanos(7))));
        assert_eq!(Stage::last("some words"), None);
    }
}
