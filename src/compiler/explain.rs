// SPDX-License-Identifier: Apache-2.0
//! Says in the user's words what clang can only say of the C it sees.
//!
//! clang knows neither that `struct bpflua_hash_map_counts` is the hash `counts`, nor what the kernel at hand has.

use std::collections::BTreeSet;

use super::diagnostic::{Diagnostic, Severity};
use super::{Options, Source};
use crate::kernel::btf::Kind;

/// The dialect's word for each kind of map, what a person calls it, and its own methods besides those of [`KEYED`].
const MAP_KINDS: &[(&str, &str, &[&str])] = &[
    ("hash", "a hash", &[]),
    ("percpu_hash", "a per-CPU hash", &[]),
    ("lru_hash", "an LRU hash", &[]),
    ("lru_percpu_hash", "a per-CPU LRU hash", &[]),
    ("lpm_trie", "a longest-prefix trie", &[]),
    ("array", "an array", &[]),
    ("percpu_array", "a per-CPU array", &[]),
    ("histogram", "a histogram", &[]),
    ("table", "a table", &[]),
    ("stack_trace", "a stack-trace map", &["get_stackid"]),
    ("perf_output", "a perf buffer", &["perf_submit", "perf_submit_skb"]),
    (
        "ringbuf",
        "a ring buffer",
        &["ringbuf_output", "ringbuf_reserve", "ringbuf_submit", "ringbuf_discard", "ringbuf_query"],
    ),
    ("perf_array", "a perf counter array", &["perf_read", "perf_counter_value"]),
    ("prog_array", "a program array", &["call"]),
    ("prog", "a program array", &["call"]),
    ("queue", "a queue", &["push", "pop", "peek"]),
    ("stack", "a stack", &["push", "pop", "peek"]),
    ("devmap", "a device map", &["redirect_map"]),
    ("cpumap", "a CPU map", &["redirect_map"]),
    ("xskmap", "an AF_XDP socket map", &["redirect_map"]),
    ("sockmap", "a socket map", &["sock_map_update", "msg_redirect_map", "sk_redirect_map"]),
    ("sockhash", "a socket hash", &["sock_hash_update", "msg_redirect_hash", "sk_redirect_hash"]),
    ("cgroup_array", "a cgroup array", &["check_current_task"]),
    ("sk_storage", "a socket storage", &["sk_storage_get", "sk_storage_delete"]),
    ("inode_storage", "an inode storage", &["inode_storage_get", "inode_storage_delete"]),
    ("task_storage", "a task storage", &["task_storage_get", "task_storage_delete"]),
];

/// What maps with keys and values can do.
const KEYED: &[&str] =
    &["lookup", "lookup_or_try_init", "lookup_or_init", "update", "insert", "delete", "increment", "atomic_increment"];

/// Rewrites the messages that name bpflua's own structures, and returns hints: one for each error that has one.
pub fn errors(diagnostics: &mut [Diagnostic], source: &Source, options: &Options<'_>) -> Vec<String> {
    let mut hints: Vec<String> = Vec::new();
    for diagnostic in diagnostics.iter_mut().filter(|d| d.severity == Severity::Error) {
        let hint = explain(diagnostic, source, options);
        if let Some(hint) = hint.filter(|hint| !hints.contains(hint)) {
            hints.push(hint);
        }
    }
    hints
}

fn explain(diagnostic: &mut Diagnostic, source: &Source, options: &Options<'_>) -> Option<String> {
    let message = diagnostic.message.clone();
    let quoted: Vec<&str> = message.split('\'').skip(1).step_by(2).collect();
    if message.starts_with("no member named") {
        let (member, record) = (method_name(quoted.first()?), *quoted.get(1)?);
        return match map_of(record) {
            Some((kind, map)) => {
                diagnostic.message = wrong_method(member, kind, map);
                method_hint(member, kind, map)
            }
            None => member_hint(member, record, next_member(diagnostic, member, source), options),
        };
    }
    if let Some(why) = quoted.iter().find_map(|record| not_of_kind(record)) {
        diagnostic.message = why;
        return None;
    }
    if let Some((_, words)) = message.strip_prefix("static assertion failed").and_then(|rest| rest.split_once(": ")) {
        diagnostic.message = words.to_owned();
        return None;
    }
    if message.starts_with("call to undeclared function") {
        let function = *quoted.first()?;
        diagnostic.message = format!("call to undeclared function '{function}'");
        return helper_hint(function, options);
    }
    if message.starts_with("incomplete definition of type") || message.contains("has incomplete type") {
        return record_hint(quoted.last()?, options);
    }
    None
}

/// Takes `struct bpflua_hash_map_counts` apart: the kind and the name of the map.
fn map_of(record: &str) -> Option<(&'static str, &str)> {
    let rest = record.split("struct bpflua_").nth(1)?;
    let (kind, map) = rest.split_once("_map_")?;
    let known = MAP_KINDS.iter().find(|(name, ..)| *name == kind).map(|(name, ..)| *name)?;
    Some((known, map))
}

/// What `struct bpflua_counts_is_no_stack_trace_map *` says of the method called: the dialect gives a method that a map
/// cannot have this type in place of a function's.
fn not_of_kind(record: &str) -> Option<String> {
    let names = record.split("struct bpflua_").skip(1);
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let rest = names.filter_map(|name| name.split(|c| !is_word(c)).next()).find(|name| name.contains("_is_no_"))?;
    if let Some(map) = rest.strip_prefix("leaf_of_").and_then(|rest| rest.strip_suffix("_is_no_integer")) {
        return Some(format!("only whole numbers can be incremented; the values of `{map}` are none"));
    }
    let (map, kind) = rest.split_once("_is_no_")?;
    Some(format!("this needs a {} map; `{map}` is none", kind.trim_end_matches("_map").replace('_', "-")))
}

/// `increment` for `__bpflua_increment_n`: what a method with an optional argument becomes inside.
fn method_name(member: &str) -> &str {
    let inner = member.strip_prefix("__bpflua_").unwrap_or(member);
    inner.strip_suffix("_n").or(inner.strip_suffix("_packed")).filter(|_| inner != member).unwrap_or(member)
}

fn words_of(kind: &str) -> &'static str {
    MAP_KINDS.iter().find(|(name, ..)| *name == kind).map_or("a map", |(_, words, _)| words)
}

fn wrong_method(method: &str, kind: &str, map: &str) -> String {
    let owners: Vec<&str> =
        MAP_KINDS.iter().filter(|(_, _, methods)| methods.contains(&method)).map(|(_, words, _)| *words).collect();
    let is = format!("`{map}` is {}", words_of(kind));
    match owners.as_slice() {
        [] if KEYED.contains(&method) => format!("`{method}` needs a map with keys and values; {is}"),
        [] => format!("there is no map method `{method}`; {is}"),
        owners => format!("`{method}` needs {}; {is}", owners.join(" or ")),
    }
}

fn method_hint(method: &str, kind: &str, map: &str) -> Option<String> {
    if KEYED.contains(&method) || MAP_KINDS.iter().any(|(_, _, methods)| methods.contains(&method)) {
        return None;
    }
    let own = MAP_KINDS.iter().find(|(name, ..)| *name == kind).map(|(_, _, methods)| *methods)?;
    let methods = if own.is_empty() { KEYED } else { own };
    let like = crate::suggest::nearest(method, methods.iter().copied());
    match like.as_slice() {
        [] => Some(format!("`{map}` has {}", join(methods.iter().copied()))),
        names => Some(format!("similar: {}", join(names.iter().copied()))),
    }
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
    let first = if diagnostic.line == source.first_line { source.first_column as usize } else { 1 };
    let rest = line.get((diagnostic.column as usize).checked_sub(first)?..)?.strip_prefix(member)?.trim_start();
    let rest = rest.strip_prefix("->").or(rest.strip_prefix('.'))?.trim_start();
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    (end > 0).then_some(&rest[..end])
}

/// The kernel's members most like the one asked for, or where it went.
fn member_hint(member: &str, record: &str, next: Option<&str>, options: &Options<'_>) -> Option<String> {
    let name = record.strip_prefix("struct ").or(record.strip_prefix("union "))?;
    let btf = options.btf?;
    let elsewhere = super::types::members_elsewhere(btf, name, member, next);
    let like = super::types::members_like(btf, name, member);
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
    if let Some(rest) = name.strip_prefix("tracepoint__") {
        return Some(format!("this kernel has no tracepoint `{}`", rest.replacen("__", ":", 1)));
    }
    let btf = options.btf?;
    if btf.find(Kind::Struct, name).is_some() {
        return None;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_structures_are_told_apart() {
        assert_eq!(map_of("const struct bpflua_percpu_hash_map_my_map_x"), Some(("percpu_hash", "my_map_x")));
        assert_eq!(map_of("struct task_struct"), None);
    }

    #[test]
    fn a_method_of_another_map_names_that_map() {
        assert_eq!(
            wrong_method("get_stackid", "hash", "counts"),
            "`get_stackid` needs a stack-trace map; `counts` is a hash"
        );
        assert_eq!(wrong_method("lookup", "queue", "q"), "`lookup` needs a map with keys and values; `q` is a queue");
        assert_eq!(wrong_method("lokup", "hash", "h"), "there is no map method `lokup`; `h` is a hash");
    }
}
