// SPDX-License-Identifier: Apache-2.0
//! How far a compilation has come, for the report of one that ended in a fault.
//!
//! The compiler's process writes a line to its error output when it enters a stage; its parent reads the last of them.

use std::io::{self, Write as _};

/// What a line about a stage begins with.
const MARK: &str = "bpflua stage: ";

/// A part of a compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// clang reads the text.
    FrontEnd,
    /// LLVM optimises.
    Optimiser,
    /// LLVM writes the object.
    CodeGenerator,
    /// Our own passes.
    Passes,
}

impl Stage {
    const ALL: [Stage; 4] = [Stage::FrontEnd, Stage::Optimiser, Stage::CodeGenerator, Stage::Passes];

    /// Notes that it begins.
    pub fn enter(self) {
        // One that cannot be noted is told as unknown.
        let _ = writeln!(io::stderr(), "{MARK}{}", self.words());
    }

    /// The one that a compiler was in, from what it wrote to its error output.
    pub fn last(words: &str) -> Option<Stage> {
        let line = words.lines().rev().find_map(|line| line.strip_prefix(MARK))?;
        Self::ALL.into_iter().find(|stage| stage.words() == line)
    }

    /// The lines that are not about stages.
    pub fn others(words: &str) -> impl Iterator<Item = &str> {
        words.lines().filter(|line| !line.starts_with(MARK) && !line.trim().is_empty())
    }

    /// Whether it runs code of clang's and LLVM's, not ours.
    pub fn is_the_compilers(self) -> bool {
        self != Stage::Passes
    }

    /// Behind "crashed while".
    pub fn words(self) -> &'static str {
        match self {
            Stage::FrontEnd => "clang read it",
            Stage::Optimiser => "LLVM optimised it",
            Stage::CodeGenerator => "LLVM wrote the object",
            Stage::Passes => "bpflua's passes ran",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_stage_counts() {
        let words = "bpflua stage: clang read it\nsome words\n\nbpflua stage: LLVM optimised it\n";
        assert_eq!(Stage::last(words), Some(Stage::Optimiser));
        assert_eq!(Stage::others(words).collect::<Vec<_>>(), ["some words"]);
        assert_eq!(Stage::last("some words"), None);
    }
}
