// SPDX-License-Identifier: Apache-2.0
//! What became of a compiler that ended without a word, in the user's words.
//!
//! LLVM ends the process when it meets what it did not expect, such as an operation that BPF has no instruction for. That
//! is the text's fault and is told as such, with its place if LLVM names one.

use std::ffi::c_int;

use super::diagnostic::{self, Diagnostic};
use super::options::Limits;
use super::shim::version;
use super::source::Source;
use super::stage::Stage;
use crate::error::Error;

/// What LLVM's last words mean, by a part of them; the first that matches counts.
const CAUSES: &[(&str, &str)] = &[
    ("AtomicFence", "BPF has no instruction for a memory barrier"),
    ("(s8)", "BPF has atomic operations on 32 and 64 bits only"),
    ("(s16)", "BPF has atomic operations on 32 and 64 bits only"),
    ("brind", "BPF has no jump to an address that is computed"),
    (
        "Unsupported field expression",
        "a bit field is wider than its structure's alignment, and so its place cannot be relocated",
    ),
    ("unimplemented opcode", "BPF has no instruction for this"),
    ("Cannot select", "BPF has no instruction for this"),
];

/// Attributes that clang 19 crashes on when it writes debug information for BPF (`EmitExternalFunctionDeclaration`).
const CRASHES: &[&str] = &["alias", "ifunc"];

/// What could not be done.
pub fn what(source: &Source) -> String {
    format!("cannot compile the C text of `{}`", source.name)
}

/// The error for a compiler that ended with this status after these words.
pub fn error(source: &Source, limits: Limits, status: c_int, words: &str) -> Error {
    let lines: Vec<&str> = Stage::others(words).collect();
    let signal = libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status));
    let too_large = "a macro, an initialiser or an unrolled loop may be larger than you mean it to be";
    if signal == Some(libc::SIGKILL) {
        return Error::machine(what(source), "the compiler was killed, as the kernel does when memory runs out");
    }
    if signal == Some(libc::SIGXCPU) {
        let unit = if limits.cpu_seconds == 1 { "second" } else { "seconds" };
        let why = format!("it takes the compiler more than {} {unit} of processor time", limits.cpu_seconds);
        return Error::script(what(source), why).with_hint(too_large);
    }
    if ["out of memory", "bad alloc", "bad_alloc", "memory allocation of"].iter().any(|phrase| words.contains(phrase)) {
        let why = format!("it takes the compiler more than {} MB of memory", limits.memory_bytes >> 20);
        return Error::script(what(source), why).with_hint(too_large);
    }
    if words.contains("has overflowed its stack") {
        return Error::script(what(source), "it is nested deeper than the compiler can follow");
    }
    if matches!(signal, Some(libc::SIGINT | libc::SIGTERM)) {
        return Error::script(what(source), "interrupted");
    }
    if let Some(reason) = lines.iter().find_map(|line| line.split_once("LLVM ERROR: ").map(|(_, reason)| reason)) {
        let meaning = CAUSES.iter().find(|(phrase, _)| words.contains(phrase)).map(|(_, meaning)| *meaning);
        let message = meaning.map_or_else(|| format!("LLVM gives up: {reason}"), str::to_owned);
        let (line, column) = place(words, &source.name).unwrap_or((0, 0));
        let error = diagnostic::failure(source, &[Diagnostic::error(&source.name, line, column, message)], Vec::new());
        return if line == 0 || meaning.is_some_and(|m| m.ends_with("for this")) {
            error.with_evidence(format!("LLVM: {}", short(reason)))
        } else {
            error
        };
    }
    if let Some(word) = CRASHES.iter().find(|word| signal.is_some() && source.text.contains(&format!("{word}(\""))) {
        return Error::script(what(source), format!("clang crashes on the attribute `{word}` for BPF"));
    }
    let last = lines.iter().skip(lines.len().saturating_sub(8));
    last.fold(fault(source, signal, Stage::last(words)), |error, line| error.with_evidence(*line))
}

/// The error of a fault that nobody knows: clang's and LLVM's own, or ours.
fn fault(source: &Source, signal: Option<c_int>, stage: Option<Stage>) -> Error {
    let during = stage.map_or_else(String::new, |stage| format!(" while {}", stage.words()));
    let how = match signal {
        Some(signal) => format!("the compiler crashed ({}){during}", signal_words(signal)),
        None => format!("the compiler ended without a word{during}"),
    };
    if !stage.is_some_and(Stage::is_the_compilers) {
        return Error::bug(what(source), how);
    }
    let version = version();
    Error::machine(what(source), how)
        .with_note(format!("this is a fault of the compiler ({version}), whatever the C text says"))
        .with_note(
            "please report it with the C text: at https://github.com/llvm/llvm-project/issues if `clang` crashes on it, \
             too (`clang -target bpf -O2 -g -c`), else as a bug in bpflua",
        )
}

/// `SIGSEGV, signal 11`
fn signal_words(signal: c_int) -> String {
    const NAMES: [(c_int, &str); 6] = [
        (libc::SIGILL, "SIGILL"),
        (libc::SIGTRAP, "SIGTRAP"),
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGSEGV, "SIGSEGV"),
    ];
    match NAMES.iter().find(|(number, _)| *number == signal) {
        Some((_, name)) => format!("{name}, signal {signal}"),
        None => format!("signal {signal}"),
    }
}

/// LLVM's reason without the addresses of its own structures.
fn short(reason: &str) -> String {
    reason.split_whitespace().filter(|word| !word.starts_with("0x")).take(12).collect::<Vec<_>>().join(" ")
}

/// The first `NAME:LINE:COLUMN` of some words.
fn place(words: &str, name: &str) -> Option<(u32, u32)> {
    words.match_indices(name).find_map(|(at, _)| {
        let mut numbers = words[at + name.len()..].strip_prefix(':')?.split(|c: char| !c.is_ascii_digit());
        Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(words: &str) -> String {
        error(&Source::file("a.c", "int f(void)\n{ __sync_synchronize(); }\n"), Limits::default(), 6, words).report()
    }

    #[test]
    fn what_bpf_has_not_is_told_with_its_place() {
        let words = "LLVM ERROR: Cannot select: 0x37de8110: ch = AtomicFence<x> 0x37c2, a.c:2:3\n  In function: f\n";
        let told = report(words);
        assert!(told.contains("a.c:2:3: BPF has no instruction for a memory barrier"), "{told}");
        assert!(!told.contains("bug"), "{told}");
    }

    #[test]
    fn what_nobody_expected_is_a_bug() {
        assert!(report("free(): invalid pointer\n").contains("this is a bug in bpflua"));
        let ours = "bpflua stage 1: clang read it\nbpflua stage 2: bpflua's passes ran\nfree(): invalid pointer\n";
        assert!(report(ours).contains("this is a bug in bpflua"));
    }

    #[test]
    fn a_fault_of_the_compiler_is_not_called_ours() {
        let told = report("bpflua stage 7: LLVM optimised it\nfree(): invalid pointer\n");
        assert!(told.contains("`a.c`: the compiler crashed (SIGABRT, signal 6) while LLVM optimised it"), "{told}");
        assert!(told.contains("free(): invalid pointer") && told.contains("this is a fault of the compiler"), "{told}");
        assert!(!told.contains("this is a bug"), "{told}");
    }
}
