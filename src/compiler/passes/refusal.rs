// SPDX-License-Identifier: Apache-2.0
//! An error at the place that an instruction came from.

use crate::compiler::diagnostic::Diagnostic;
use crate::compiler::ir::Value;

/// Says of an instruction what cannot be done; `file` is the text's, for instructions that have no place.
pub fn at(instruction: Value<'_>, file: &str, words: impl Into<String>) -> Diagnostic {
    let place = instruction.place();
    let (file, line, column) = place.as_ref().map_or((file, 0, 0), |p| (p.file.as_str(), p.line, p.column));
    Diagnostic::error(file, line, column, words)
}
