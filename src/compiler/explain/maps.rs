// SPDX-License-Identifier: Apache-2.0
//! What clang says of maps, in the user's words: which map, which method, which argument.

use super::calls::{self, Call};
use super::join;
use super::kinds::{self, KEYED, KINDS, Kind, TABLE_TYPES};
use crate::compiler::diagnostic::Diagnostic;
use crate::compiler::source::Source;
use crate::suggest;

/// A message in the user's words.
pub struct Explained {
    pub message: String,
    pub hint: Option<String>,
    /// The call that it says all there is to say of.
    pub settles: Option<Call>,
}

/// What clang says of a map's definition where only statements may be.
const INSIDE: &[&str] = &["'section' attribute only applies to", "function definition is not allowed here"];

/// The methods that are macros in the dialect: a function of the text cannot be called so.
const MACROS: &[&str] =
    &["increment", "atomic_increment", "perf_submit", "perf_submit_skb", "ringbuf_output", "ringbuf_submit"];

/// Explains an error that is about a map; none when it is not.
pub fn explain(diagnostic: &Diagnostic, source: &Source) -> Option<Explained> {
    declaration(diagnostic, source).or_else(|| taken_name(diagnostic, source)).or_else(|| call(diagnostic, source))
}

/// An error where a function of the text's own has the name of a method.
fn taken_name(diagnostic: &Diagnostic, source: &Source) -> Option<Explained> {
    let line = source.line(diagnostic.line).filter(|_| diagnostic.file == source.name)?;
    let at = (source.column(diagnostic.line, diagnostic.column) as usize).checked_sub(1)?;
    let (before, rest) = (line.get(..at)?, line.get(at..)?);
    let is_here = |name: &&&str| rest.strip_prefix(**name).is_some_and(|rest| rest.trim_start().starts_with('('));
    let name = MACROS.iter().find(is_here).filter(|_| !before.trim_end().ends_with(['.', '>']))?;
    let message = format!("`{name}` is a method of maps, and no name for a function: call it otherwise");
    Some(Explained { message, hint: None, settles: None })
}

/// An error in a macro that declares a map: its number of arguments, or what clang says of its expansion.
fn declaration(diagnostic: &Diagnostic, source: &Source) -> Option<Explained> {
    let call = calls::around(diagnostic, source, |callee| kinds::declaration(callee).is_some())?;
    let wanted = kinds::declaration(&call.callee)?;
    let (least, most) = kinds::bounds(wanted);
    let message = &diagnostic.message;
    let mut hint = None;
    let message = if !(least..=most).contains(&call.arguments.len()) {
        format!("`{}` takes {wanted}: {} given", call.callee, count(call.arguments.len()))
    } else if INSIDE.iter().any(|words| message.contains(words)) {
        format!("`{}` stands inside of a function: maps are declared outside", call.callee)
    } else if let Some(place) = unquoted(&call, wanted) {
        let given = &call.arguments[place];
        format!("`{}` takes {wanted}: `{given}` must be in quotes, \"{given}\"", call.callee)
    } else if let Some(name) = between(message, "redefinition of '__bpflua_map_", "'") {
        format!("there are two maps `{name}`")
    } else if message.starts_with("pasting formed") {
        format!("`{}` takes {wanted}: the name is a plain word", call.callee)
    } else if let Some(given) = between(message, "BPF_TABLE knows no type \"", "\"") {
        hint = type_hint(given);
        format!("there is no map type \"{given}\"")
    } else {
        return None;
    };
    Some(Explained { message, hint, settles: Some(call) })
}

/// The first argument that must be a string and is a word.
fn unquoted(call: &Call, wanted: &str) -> Option<usize> {
    let is_word = |text: &String| text.chars().all(|c| c.is_alphanumeric() || c == '_') && !text.is_empty();
    let wanted: Vec<&str> = wanted.split(',').map(|one| one.trim_matches(['[', ']', ' '])).collect();
    // With one part left out in the middle, places are counted from the end that has no gap.
    let shift = if call.callee == "BPF_HASH_OF_MAPS" && call.arguments.len() == 2 { 1 } else { 0 };
    let place = wanted.iter().position(|one| one.starts_with('"'))? - shift;
    call.arguments.get(place).filter(|given| is_word(given)).map(|_| place)
}

fn type_hint(given: &str) -> Option<String> {
    let other = match given {
        "queue" => "BPF_QUEUE",
        "stack" => "BPF_STACK",
        "ringbuf" => "BPF_RINGBUF_OUTPUT",
        _ => {
            let like = suggest::nearest(given, TABLE_TYPES.iter().copied());
            let names = if like.is_empty() { TABLE_TYPES.to_vec() } else { like };
            let word = if names.len() == TABLE_TYPES.len() { "the types are" } else { "similar:" };
            return Some(format!(
                "{word} {}",
                names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
            ));
        }
    };
    Some(format!("use `{other}`"))
}

/// An error in a call of a map's method.
fn call(diagnostic: &Diagnostic, source: &Source) -> Option<Explained> {
    let call = calls::around(diagnostic, source, |callee| callee.contains('.'));
    let written = call.as_ref().and_then(Call::method).map(|(_, method)| method.to_owned());
    if let Some((method, kind, map)) = wrong_pair(&diagnostic.message, written.as_deref()) {
        let hint = method_hint(&method, kind, map);
        return Some(Explained { message: wrong_method(&method, kind, map), hint, settles: call });
    }
    if let Some(map) = between(&diagnostic.message, "struct bpflua_leaf_of_", "_is_no_integer") {
        let message = format!("only whole numbers can be incremented; the values of `{map}` are none");
        return Some(Explained { message, hint: None, settles: call });
    }
    let call = call?;
    let message = wrong_arguments(&call, &diagnostic.message)?;
    Some(Explained { message, hint: None, settles: Some(call) })
}

/// Whether an error is about a method of a map whose type is unknown: that was said where the map is declared.
pub fn follows_from_unknown_type(message: &str) -> bool {
    message.contains("struct bpflua_no_") && message.contains(" *(*)[0]")
}

/// Whether a warning is about the address of a map that goes to a helper or a function: tables are constant, maps are not.
pub fn is_handed_on(message: &str) -> bool {
    message.ends_with("discards qualifiers") && map_of(message).is_some()
}

/// The method, the kind and the name of a map that lacks it: by `no member named 'get_stackid' in 'struct
/// bpflua_hash_map_counts'`, or by `called object type 'struct bpflua_no_get_stackid_in_counts *(*)[1]'`.
fn wrong_pair<'a>(message: &'a str, written: Option<&str>) -> Option<(String, &'static Kind, &'a str)> {
    if let Some(rest) = message.split("struct bpflua_no_").nth(1) {
        let (method, rest) = rest.split_once("_in_")?;
        let (map, rest) = rest.split_once(" *(*)[")?;
        let kind = kinds::by_number(rest.split(']').next()?.parse().ok()?)?;
        let method = written.filter(|written| written.ends_with(method)).unwrap_or(method);
        return Some((method.to_owned(), kind, map));
    }
    let member = message.strip_prefix("no member named '")?.split('\'').next()?;
    let (kind, map) = map_of(message)?;
    // Of a macro without arguments: how many there are is another matter.
    if member.starts_with("__BPFLUA") {
        return None;
    }
    let method = if kinds::is_method(member) { member } else { method_name(member) };
    Some((method.to_owned(), kind, map))
}

/// Takes `struct bpflua_hash_map_counts` apart: the kind and the name of the map.
fn map_of(text: &str) -> Option<(&'static Kind, &str)> {
    let rest = text.split("struct bpflua_").nth(1)?;
    let (kind, map) = rest.split_once("_map_")?;
    Some((kinds::by_word(kind)?, map.split(|c: char| !c.is_alphanumeric() && c != '_').next()?))
}

/// `increment` for `__bpflua_increment_n`: what a method with an optional argument becomes inside.
fn method_name(member: &str) -> &str {
    let inner = member.strip_prefix("__bpflua_").unwrap_or(member);
    inner.strip_suffix("_n").or(inner.strip_suffix("_packed")).filter(|_| inner != member).unwrap_or(member)
}

fn wrong_method(method: &str, kind: &Kind, map: &str) -> String {
    let owners: Vec<&str> = KINDS.iter().filter(|kind| kind.methods.contains(&method)).map(|kind| kind.words).collect();
    let is = format!("`{map}` is {}", kind.words);
    match owners.as_slice() {
        [] if KEYED.contains(&method) => format!("`{method}` needs a map with keys and values; {is}"),
        [] => format!("there is no map method `{method}`; {is}"),
        owners => format!("`{method}` needs {}; {is}", owners.join(" or ")),
    }
}

fn method_hint(method: &str, kind: &Kind, map: &str) -> Option<String> {
    if kinds::is_method(method) {
        return None;
    }
    let methods = if kind.methods.is_empty() { KEYED } else { kind.methods };
    match suggest::nearest(method, methods.iter().copied()).as_slice() {
        [] => Some(format!("`{map}` has {}", join(methods.iter().copied()))),
        names => Some(format!("similar: {}", join(names.iter().copied()))),
    }
}

/// What is wrong with the arguments, where clang speaks of what a method is inside.
fn wrong_arguments(call: &Call, message: &str) -> Option<String> {
    const OURS: &[&str] =
        &["__BPFLUA", "arguments to function call", "expected expression", "indirection requires pointer"];
    let (map, method) = call.method()?;
    let wanted = kinds::arguments(method)?;
    if !OURS.iter().any(|words| message.contains(words)) && !message.ends_with(&format!("identifier '{method}'")) {
        return None;
    }
    let (least, most) = kinds::bounds(wanted);
    if !(least..=most).contains(&call.arguments.len()) {
        return Some(format!("`{map}.{method}` takes ({wanted}): {} given", count(call.arguments.len())));
    }
    let wants_address = wanted.contains("&event") && message.starts_with("indirection requires pointer");
    wants_address.then(|| format!("`{map}.{method}` takes ({wanted}): the event goes in by its address"))
}

fn count(arguments: usize) -> String {
    match arguments {
        0 => "none is".to_owned(),
        1 => "1 is".to_owned(),
        n => format!("{n} are"),
    }
}

/// The message with the user's words for what is ours in it; none when nothing is.
pub fn plain(message: &str) -> Option<String> {
    if let Some(words) = message.strip_prefix("'insert' is deprecated: ") {
        return Some(words.to_owned());
    }
    if !message.contains("bpflua_") {
        return None;
    }
    // 'const __bpflua_counts_k *' (aka 'const unsigned int *')
    let mut out = String::new();
    let mut rest = message;
    while let Some((before, quoted)) = rest.split_once('\'') {
        let (inside, after) = quoted.split_once('\'')?;
        out += before;
        let aka = after.strip_prefix(" (aka '").and_then(|aka| aka.split_once("')"));
        match (of_map(inside), aka) {
            (Some((what, map)), Some((meaning, after))) => {
                out += &format!("'{meaning}' ({what} of `{map}`)");
                rest = after;
                continue;
            }
            (Some((what, map)), None) => out += &format!("the {what} of `{map}`"),
            (None, _) => match map_of(inside) {
                Some((kind, map)) => out += &format!("`{map}` ({})", kind.words),
                None => out += &format!("'{inside}'"),
            },
        }
        rest = after;
    }
    Some(out + rest)
}

/// "key" and `counts` for `__bpflua_counts_k`.
fn of_map(text: &str) -> Option<(&'static str, &str)> {
    let rest = text.split("__bpflua_").nth(1)?;
    let word = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    let key = word.strip_suffix("_k").map(|map| ("key", map));
    key.or(word.strip_suffix("_v").map(|map| ("value", map)))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_structures_are_told_apart() {
        let (kind, map) = map_of("in 'const struct bpflua_percpu_hash_map_my_map_x'").unwrap();
        assert_eq!((kind.word, map), ("percpu_hash", "my_map_x"));
        assert!(map_of("struct task_struct").is_none());
    }

    #[test]
    fn a_method_of_another_map_names_that_map() {
        let words = |method, kind, map| wrong_method(method, kinds::by_word(kind).unwrap(), map);
        assert_eq!(words("get_stackid", "hash", "counts"), "`get_stackid` needs a stack-trace map; `counts` is a hash");
        assert_eq!(words("lookup", "queue", "q"), "`lookup` needs a map with keys and values; `q` is a queue");
        assert_eq!(words("lokup", "hash", "h"), "there is no map method `lokup`; `h` is a hash");
    }

    #[test]
    fn types_are_named_as_the_user_knows_them() {
        let message = "incompatible pointer types passing 'u64 *' (aka 'unsigned long long *') to parameter of type \
                       'const __bpflua_counts_k *' (aka 'const unsigned int *')";
        assert_eq!(
            plain(message).unwrap(),
            "incompatible pointer types passing 'u64 *' (aka 'unsigned long long *') to parameter of type 'const unsigned \
             int *' (key of `counts`)"
        );
        let message = "member reference type 'struct bpflua_hash_map_counts' is not a pointer";
        assert_eq!(plain(message).unwrap(), "member reference type `counts` (a hash) is not a pointer");
        assert_eq!(plain("use of undeclared identifier 'x'"), None);
    }
}
