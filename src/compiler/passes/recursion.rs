// SPDX-License-Identifier: Apache-2.0
//! Finds functions that call themselves: the verifier wants every call to come to its end.
//!
//! LLVM makes loops of many of them, so it is asked what is left.

use crate::compiler::diagnostic::Diagnostic;
use crate::compiler::ir::{Module, Value};

/// An error for the first function that calls itself, directly or through others.
pub fn check(module: &Module<'_>, file: &str) -> Result<(), Diagnostic> {
    for function in module.functions() {
        let Some(through) = way_back(function) else { continue };
        let name = plain_name(function);
        let message = match through.as_slice() {
            [] => format!("`{name}` calls itself, which a BPF program cannot: write a loop with an end"),
            others => {
                let others: Vec<String> = others.iter().map(|other| format!("`{}`", plain_name(*other))).collect();
                format!(
                    "`{name}` calls itself through {}, which a BPF program cannot: write a loop with an end",
                    others.join(", ")
                )
            }
        };
        return Err(Diagnostic::error(file, function.definition_line().unwrap_or(0), 0, message));
    }
    Ok(())
}

/// The functions between `function` and its call of itself.
fn way_back(function: Value<'_>) -> Option<Vec<Value<'_>>> {
    let mut seen = vec![function];
    let mut ways = vec![Vec::new()];
    while let Some(way) = ways.pop() {
        let at = way.last().copied().unwrap_or(function);
        for called in at.instructions().into_iter().filter_map(Value::callee) {
            if called == function {
                return Some(way);
            }
            if called.is_function() && !called.blocks().is_empty() && !seen.contains(&called) {
                seen.push(called);
                let mut next = way.clone();
                next.push(called);
                ways.push(next);
            }
        }
    }
    None
}

/// The name that the text gives a function: copies have a suffix.
fn plain_name(function: Value<'_>) -> String {
    let name = function.name();
    name.split('.').next().unwrap_or(&name).to_owned()
}
