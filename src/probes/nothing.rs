// SPDX-License-Identifier: Apache-2.0
//! What is said when no probe matches.

use super::kind::Kind;
use super::list::list;
use super::spec::Spec;
use crate::error::Error;
use crate::suggest;

/// The error of a pattern that nothing matches, with the names that are like it.
pub fn nothing_matches(pattern: &str, pid: Option<i32>) -> Error {
    let error = Error::script(format!("cannot list `{pattern}`"), "no probe of this machine matches it");
    let error = error.with_errno(libc::ENOENT);
    let (kind, name) = match pattern.split_once(':') {
        Some((kind, rest)) if Kind::from_name(kind).is_some() => (Kind::from_name(kind), rest),
        Some(_) => (Some(Kind::Tracepoint), pattern),
        None => (None, pattern),
    };
    let everything = match kind.unwrap_or(Kind::Kprobe) {
        Kind::Tracepoint => "tracepoint:*:*".to_owned(),
        kind @ (Kind::Uprobe | Kind::Uretprobe | Kind::Usdt) => {
            format!("{}:{}:*", kind.name(), name.split(':').next().unwrap_or_default())
        }
        kind => format!("{}:*", kind.name()),
    };
    let known = list(&everything, pid).unwrap_or_default();
    let names: Vec<String> = known.iter().map(|listed| listed.target.place.to_string()).collect();
    let near = suggest::nearest(name, names.iter().map(String::as_str));
    match (suggest::similar_line(&near), Spec::parse(pattern, error.what())) {
        (Some(line), _) => error.with_hint(line),
        // A word before the colon that is neither a kind nor near a tracepoint's category.
        (None, Err(wrong)) if pattern.contains(':') => wrong,
        (None, _) => error.with_hint("`*` stands for any letters, `?` for one, `[a-z]` for one of these"),
    }
}
