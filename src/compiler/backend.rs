// SPDX-License-Identifier: Apache-2.0
//! What LLVM's BPF backend says when it cannot generate code, as diagnostics of the user's text.

use super::diagnostic::{self, Diagnostic};
use super::source::Source;
use crate::error::Error;

/// Phrases of the backend (`BPFRegisterInfo.cpp`, `BPFISelLowering.cpp` of LLVM 19), what they mean and what to do.
const CAUSES: &[(&str, &str, Option<&str>)] = &[
    (
        "BPF stack limit is exceeded",
        "needs more than the 512 bytes of stack that a BPF program has",
        Some("keep large variables in a map: `BPF_PERCPU_ARRAY(scratch, struct big, 1)`, then `scratch.lookup(&zero)`"),
    ),
    ("too many arguments", "has more than the five arguments that a BPF function can take", None),
    ("stack arguments are not supported", "has more than the five arguments that a BPF function can take", None),
    ("dynamic stack allocation", "has an array whose size is not known when it is compiled", None),
    ("aggregate returns", "returns a struct, which a function that is not inlined cannot", None),
    ("pass by value", "passes a struct by value, which a function that is not inlined cannot take", None),
    ("small returns", "computes with 128 bits in a way that BPF has no instructions for", None),
    ("A call to built-in function", "calls a library function that BPF has not", None),
];

/// What calls of the compiler's own functions for floats mean.
const FLOATS: (&str, &str, Option<&str>) = (
    "",
    "computes with floating-point numbers, which BPF has no instructions for",
    Some("compute with whole numbers here (`n * 3 / 2`), and with fractions in Lua; a `double` can be copied as it is"),
);

/// Whether it is about one of those functions: `__muldf3`, `__floatsidf`, `__ltsf2`.
fn computes_with_floats(words: &str) -> bool {
    let called = words.split_once("A call to built-in function '").and_then(|(_, rest)| rest.split_once('\''));
    let name = called.and_then(|(name, _)| name.strip_prefix("__"));
    name.is_some_and(|name| ["df", "sf", "tf", "hf"].iter().any(|mode| name.contains(mode)))
}

/// The error for a text that the backend refuses. Each function is named once, whatever number of variants it has.
///
/// `line_of` gives the line a function begins at, for what the backend places nowhere.
pub fn failure(source: &Source, messages: &[String], line_of: &dyn Fn(&str) -> Option<u32>) -> Error {
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut hints: Vec<String> = Vec::new();
    for message in messages {
        let (function, place, words) = parts(message, source);
        let cause = if computes_with_floats(words) {
            Some(&FLOATS)
        } else {
            CAUSES.iter().find(|(phrase, ..)| words.contains(phrase))
        };
        let text = match cause {
            Some((_, meaning, _)) => format!("`{function}` {meaning}"),
            None if function.is_empty() => words.trim().to_owned(),
            None => format!("`{function}`: {}", words.trim()),
        };
        if !diagnostics.iter().any(|earlier| earlier.message == text) {
            let line = if place.0 > 0 { place.0 } else { line_of(function).unwrap_or(0) };
            diagnostics.push(Diagnostic::error(&source.name, line, place.1, text));
        }
        if let Some((_, _, Some(hint))) = cause
            && !hints.iter().any(|earlier| earlier == hint)
        {
            hints.push((*hint).to_owned());
        }
    }
    diagnostic::failure(source, &diagnostics, hints)
}

/// Takes `FILE:LINE:COLUMN: in function NAME TYPE: WORDS` apart; what is not of that form is all words.
fn parts<'a>(message: &'a str, source: &Source) -> (&'a str, (u32, u32), &'a str) {
    // A function with the attribute `error` is called where only a mistake of the user's leads.
    if let Some((_, words)) = message.split_once("\"dontcall-error\": ") {
        return ("", (0, 0), words);
    }
    let parsed = message.split_once(" in function ").and_then(|(place, rest)| {
        let (head, words) = rest.split_once(": ")?;
        let function = head.split([' ', '.']).next()?;
        let place = place.strip_prefix(&source.name).unwrap_or_default();
        let mut numbers = place.split(':').filter_map(|n| n.parse().ok());
        Some((function, (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)), words))
    });
    parsed.unwrap_or(("", (0, 0), message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_for_floats_are_told_from_others() {
        let words = |name: &str| format!("A call to built-in function '{name}' is not supported.");
        for name in ["__muldf3", "__floatsidf", "__fixunssfdi", "__lttf2"] {
            assert!(computes_with_floats(&words(name)), "{name}");
        }
        for name in ["__multi3", "__udivti3", "memcpy", "sfence"] {
            assert!(!computes_with_floats(&words(name)), "{name}");
        }
    }

    #[test]
    fn a_full_stack_is_told_once_in_the_users_words() {
        let source = Source::file("a.c", "int big(struct pt_regs *ctx) { char a[600]; }\n");
        let message = |name: &str| {
            format!("a.c:1:32: in function {name} i32 (ptr): Looks like the BPF stack limit is exceeded. Please\n")
        };
        let error = failure(&source, &[message("big"), message("big.fentry")], &|_| None);
        assert_eq!(error.locations().len(), 1);
        assert_eq!(
            error.locations()[0].to_string(),
            "a.c:1:32: `big` needs more than the 512 bytes of stack that a BPF program has"
        );
        assert_eq!(error.hints().len(), 1);
    }
}
