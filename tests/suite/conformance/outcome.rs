// SPDX-License-Identifier: Apache-2.0
//! What came of a text in a kernel.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

const FILE: &str = "outcomes.json";

/// How far one text came.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Why it does not compile.
    pub not_compiled: Option<String>,
    /// The programs that the verifier took, of those that the tool uses.
    pub loaded: Share,
    /// The attachments that worked, of those that the tool makes.
    pub attached: Share,
    /// Why not all: each reason, and what it holds for.
    pub reasons: BTreeMap<String, Vec<String>>,
}

/// So many of so many.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub struct Share {
    pub done: usize,
    pub of: usize,
}

impl Share {
    pub fn count(&mut self, done: bool) {
        self.of += 1;
        self.done += usize::from(done);
    }

    pub fn is_all(self) -> bool {
        self.done == self.of
    }
}

impl Outcome {
    /// Notes why something could not be done.
    pub fn because(&mut self, reason: String, what: &str) {
        let known = self.reasons.entry(reason).or_default();
        if !known.iter().any(|one| one == what) {
            known.push(what.to_owned());
        }
    }
}

pub fn write(folder: &Path, outcomes: &[Outcome]) {
    std::fs::write(folder.join(FILE), serde_json::to_vec(outcomes).unwrap()).unwrap();
}

pub fn read(folder: &Path) -> Vec<Outcome> {
    serde_json::from_slice(&std::fs::read(folder.join(FILE)).unwrap()).unwrap()
}
