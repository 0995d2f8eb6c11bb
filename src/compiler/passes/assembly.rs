// SPDX-License-Identifier: Apache-2.0
//! Instructions of the host's processor that came with a function of the kernel's real headers.

use crate::compiler::diagnostic::Diagnostic;
use crate::compiler::ir::{Module, Value};

/// The calls that lead to such instructions, each as an error at its place in the user's text.
pub fn find(module: &Module<'_>, path: &str) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for instruction in module.functions().into_iter().flat_map(Value::instructions) {
        let Some(assembly) = instruction.assembly() else { continue };
        let (function, line, column) = match instruction.inlined() {
            Some((function, place)) => (Some(function), place.line, place.column),
            None => (None, instruction.place().map_or(0, |p| p.line), 0),
        };
        let first = assembly.trim().split([';', '\n']).next().unwrap_or_default().trim().replace('\t', " ");
        let what = function.map_or_else(|| "this".to_owned(), |name| format!("`{name}`"));
        let message = format!("{what} is written in instructions of the machine (`{first}`), which BPF has not");
        if !found.iter().any(|earlier| earlier.line == line && earlier.message == message) {
            found.push(Diagnostic::error(path, line, column, message));
        }
    }
    found
}
