// SPDX-License-Identifier: Apache-2.0
//! Says in the user's words what clang can only say of the C it sees.
//!
//! clang knows neither that `struct bpflua_hash_map_counts` is the hash `counts`, nor what the kernel at hand has.

mod calls;
mod formats;
mod kinds;
mod maps;

use std::collections::BTreeSet;

use super::diagnostic::{Diagnostic, Severity};
use super::includes;
use super::source::Source;
use super::{InHeaders, Options};
use crate::kernel::btf::Kind;

const TOO_MANY: &str = "too many errors emitted";

/// Rewrites the messages that name bpflua's own structures, leaves out those that only follow from another, and returns
/// hints: one for each error that has one.
pub fn explain(diagnostics: &mut Vec<Diagnostic>, source: &Source, options: &Options<'_>) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    let mut kept: Vec<Diagnostic> = Vec::new();
    // Calls about which everything was said: what else clang says of them follows from that.
    let mut settled: Vec<calls::Call> = Vec::new();
    for mut diagnostic in diagnostics.drain(..) {
        // What clang says of its own limit says nothing of the text, nor do formats whose sizes are right.
        let follows = settled.iter().any(|call| call.covers(&diagnostic, source))
            || diagnostic.message.starts_with(TOO_MANY)
            || maps::follows_from_unknown_type(&diagnostic.message)
            || maps::is_handed_on(&diagnostic.message)
            || formats::is_harmless(&diagnostic.message);
        if follows {
            continue;
        }
        let is_error = diagnostic.severity == Severity::Error;
        let hint = match maps::explain(&diagnostic, source).filter(|_| is_error) {
            Some(explained) => {
                diagnostic.message = explained.message;
                settled.extend(explained.settles);
                explained.hint
            }
            None if is_error => explain_error(&mut diagnostic, source, options),
            None => None,
        };
        if let Some(plain) = maps::plain(&diagnostic.message) {
            diagnostic.message = plain;
        }
        let told = |one: &Diagnostic| {
            (one.line, one.column, &one.message) == (diagnostic.line, diagnostic.column, &diagnostic.message)
        };
        if !kept.iter().any(told) {
            kept.push(diagnostic);
        }
        hints.extend(hint.filter(|hint| !hints.contains(hint)));
    }
    *diagnostics = kept;
    hints
}

fn explain_error(diagnostic: &mut Diagnostic, source: &Source, options: &Options<'_>) -> Option<String> {
    let message = diagnostic.message.clone();
    let quoted: Vec<&str> = message.split('\'').skip(1).step_by(2).collect();
    if message.starts_with("no member named") {
        let (member, record) = (quoted.first()?, quoted.get(1)?);
        return member_hint(member, record, next_member(diagnostic, member, source), options);
    }
    if let Some(words) = message.strip_prefix("static assertion failed") {
        // Behind the condition, which is ours.
        diagnostic.message =
            words.rsplit_once("': ").or(words.split_once(": ")).map_or(words, |(_, words)| words).to_owned();
        return None;
    }
    if message.starts_with("call to undeclared function") {
        let function = *quoted.first()?;
        diagnostic.message = format!("call to undeclared function '{function}'");
        return undeclared_hint(function, true, options);
    }
    if message.starts_with("use of undeclared identifier") && !message.contains("did you mean") {
        // Enumerators come from BTF: what is left with such a name is a macro.
        let name = *quoted.first()?;
        let is_shouted = name.len() > 2 && !name.contains(|c: char| c.is_lowercase()) && !name.starts_with('_');
        return is_shouted.then(|| undeclared_hint(name, false, options)).flatten();
    }
    if message.ends_with("file not found") {
        return Some(includes::not_found_hint(options));
    }
    if message.starts_with("incomplete definition of type") || message.contains("has incomplete type") {
        return record_hint(quoted.last()?, options);
    }
    None
}

/// What is said of a name that nobody declares.
const NO_MACROS: &str = "BTF has types, but no inline functions and no macros";

/// A name that neither the text, the dialect nor the kernel's types have: a helper's that was mistyped, or one of the kernel's
/// headers.
fn undeclared_hint(name: &str, is_call: bool, options: &Options<'_>) -> Option<String> {
    let helper = || helper_hint(name, options).filter(|_| is_call);
    if options.kernel_headers.is_some() {
        return helper();
    }
    let in_headers = (options.in_headers)(name);
    if let InHeaders::Have { what, place, folder } = &in_headers {
        return Some(format!("{NO_MACROS}: `{name}` is {what} of `{place}`; `--kernel-headers {folder}` has it"));
    }
    if is_call && options.btf.is_some_and(|btf| btf.find(Kind::Func, name).is_some()) {
        return Some(format!("`{name}` is a function of the kernel: programs call its helpers and kfuncs only"));
    }
    helper().or_else(|| match in_headers {
        InHeaders::NoHeaders(get) => Some(format!(
            "{NO_MACROS}: if `{name}` is one of the kernel's headers, `--kernel-headers FOLDER` compiles against them; {get}"
        )),
        _ => None,
    })
}

/// The helpers most like the one called.
fn helper_hint(function: &str, options: &Options<'_>) -> Option<String> {
    let words = options.headers.iter().flat_map(|(_, text)| text.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let helpers: BTreeSet<&str> = words.filter(|word| word.starts_with("bpf_") && !word.ends_with('_')).collect();
    let like = crate::suggest::nearest(function, helpers);
    (!like.is_empty()).then(|| format!("similar: {}", join(like.iter().copied())))
}

/// The member that the text asks of the one an error is about: `disk_name` in `rq->rq_disk->disk_name`.
fn next_member<'s>(diagnostic: &Diagnostic, member: &str, source: &'s Source) -> Option<&'s str> {
    let line = source.line(diagnostic.line).filter(|_| diagnostic.file == source.name)?;
    let column = source.column(diagnostic.line, diagnostic.column) as usize;
    let rest = line.get(column.checked_sub(1)?..)?.strip_prefix(member)?.trim_start();
    let rest = rest.strip_prefix("->").or(rest.strip_prefix('.'))?.trim_start();
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    (end > 0).then_some(&rest[..end])
}

/// The kernel's members most like the one asked for, or where it went.
fn member_hint(member: &str, record: &str, next: Option<&str>, options: &Options<'_>) -> Option<String> {
    let name = record.strip_prefix("struct ").or(record.strip_prefix("union "))?;
    let btf = options.btf?;
    let elsewhere = crate::compiler::types::members_elsewhere(btf, name, member, next);
    let like = crate::compiler::types::members_like(btf, name, member);
    let mut hint = match (like.is_empty(), elsewhere.is_empty()) {
        (true, true) => return None,
        (true, false) => format!("`{record}` of this kernel leads to "),
        (false, _) => format!("`{record}` of this kernel has {}", join(like.iter().map(String::as_str))),
    };
    hint += if like.is_empty() || elsewhere.is_empty() { "" } else { "; it leads to " };
    hint += &join(elsewhere.iter().map(String::as_str));
    hint += if elsewhere.is_empty() { "" } else { " (`bpf_core_field_exists` tells kernels apart)" };
    Some(hint)
}

/// A record that neither the text nor the kernel defines: names like it.
fn record_hint(record: &str, options: &Options<'_>) -> Option<String> {
    let name = record.strip_prefix("struct ").or(record.strip_prefix("union "))?;
    if let Some((category, event)) = name.strip_prefix("tracepoint__").and_then(|rest| rest.split_once("__")) {
        let like = (options.similar_tracepoints)(category, event);
        let words = format!("this kernel has no tracepoint `{category}:{event}`");
        return Some(match like.is_empty() {
            true => words,
            false => format!("{words}; similar: {}", join(like.iter().map(String::as_str))),
        });
    }
    let btf = options.btf?;
    if btf.find(Kind::Struct, name).is_some() {
        return None;
    }
    let in_modules = options.modules.hint(record);
    if let Some(words) = in_modules {
        return Some(format!("this kernel's BTF has no `{record}`; {words}"));
    }
    let like = crate::suggest::nearest(name, btf.find_all_names(Kind::Struct));
    match like.as_slice() {
        [] => Some(format!("this kernel's BTF has no `{record}`")),
        names => Some(format!("this kernel's BTF has no `{record}`; similar: {}", join(names.iter().copied()))),
    }
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
