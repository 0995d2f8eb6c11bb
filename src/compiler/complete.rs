// SPDX-License-Identifier: Apache-2.0
//! How a C text may go on at a place in it: clang's own code completion, over the same virtual files as a compilation.

use serde::{Deserialize, Serialize};

use super::types::Absent;
use super::{Compiled, Options, Shown, Source, arguments, includes, isolate, prelude, shim, tracepoints};
use crate::error::{Error, Result};

/// A word that clang offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Its type and what it takes.
    pub note: String,
    /// How likely clang holds it; less is likelier.
    pub priority: u32,
}

/// What clang says of a place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completions {
    /// The type of what stands before a dot or an arrow, without a pointer: `struct file`. The text's declarations of kernel
    /// types have only the members that it names; the type itself has more.
    pub base: Option<String>,
    /// The words, in clang's order.
    pub words: Vec<Word>,
}

/// The words that may stand at a place: `line` and `column`, in bytes, from 1, where the word begins.
///
/// # Errors
/// Only what keeps clang from running; a text that is wrong has completions all the same.
pub fn complete(source: &Source, options: &Options<'_>, line: u32, column: u32) -> Result<Completions> {
    let texts = includes::read_texts(source, options);
    // A tracepoint that is named half is no error yet.
    let records = tracepoints::structs(&texts.user, options.tracepoint_struct).unwrap_or_default();
    let found = isolate::run(source, options.limits, || {
        let constants = prelude::constants(options, &texts, &records);
        let mut declarations = prelude::declarations(options, &texts, &records, &constants, &Absent::default());
        declarations.push_str(&records);
        let files = prelude::files(source, options, &texts, declarations, &constants);
        let completions = shim::complete(&files, &arguments::of(source, options, &texts), line, column);
        let object = serde_json::to_vec(&completions).map_err(|error| bug(&error))?;
        let (warnings, shown, modules) = (Vec::new(), Shown::default(), Vec::new());
        Ok(Compiled { object, warnings, from_cache: false, shown, modules })
    })?;
    serde_json::from_slice(&found.object).map_err(|error| bug(&error))
}

fn bug(error: &serde_json::Error) -> Error {
    Error::bug("cannot complete the C text", error.to_string())
}
