// SPDX-License-Identifier: Apache-2.0
//! Hints for errors that clang alone cannot explain: it does not know what the kernel has.

use super::Options;
use super::diagnostic::{Diagnostic, Severity};

/// One hint for each error that has one, without repetition.
pub fn for_errors(diagnostics: &[Diagnostic], options: &Options<'_>, _texts: &[String]) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    for diagnostic in diagnostics.iter().filter(|d| d.severity == Severity::Error) {
        if let Some(hint) = hint(&diagnostic.message, options)
            && !hints.contains(&hint)
        {
            hints.push(hint);
        }
    }
    hints
}

fn hint(message: &str, options: &Options<'_>) -> Option<String> {
    let quoted: Vec<&str> = message.split('\'').skip(1).step_by(2).collect();
    if message.starts_with("no member named") {
        return member_hint(quoted.first()?, quoted.get(1)?, options);
    }
    None
}

/// The kernel's members most like the one asked for.
fn member_hint(member: &str, record: &str, options: &Options<'_>) -> Option<String> {
    let record = record.strip_prefix("struct ").or(record.strip_prefix("union "))?;
    let like = super::types::members_like(options.btf?, record, member);
    match like.as_slice() {
        [] => None,
        names => Some(format!("`struct {record}` of this kernel has {}", names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", "))),
    }
}
