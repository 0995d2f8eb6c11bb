// SPDX-License-Identifier: Apache-2.0
//! Warns of formats that the kernel refuses: a program that prints with one loads, runs, and prints nothing.
//!
//! clang compares the values with the format; what it cannot know is how little of `printf` the kernel's own reader of
//! formats takes (`bpf_bprintf_prepare` in the kernel's `kernel/bpf/helpers.c`).

use super::helpers::number_of;
use crate::compiler::diagnostic::{Diagnostic, Severity};
use crate::compiler::ir::{Module, Opcode, Value};

/// The helpers that take a format: their numbers, and which argument it is.
const HELPERS: [(u64, usize); 4] = [(TRACE_PRINTK, 0), (126, 1), (165, 2), (TRACE_VPRINTK, 0)];
const TRACE_PRINTK: u64 = 6;
const TRACE_VPRINTK: u64 = 177;
/// The values that `bpf_trace_printk` has room for.
const MOST_VALUES: usize = 3;

/// The warnings about the formats of a module that is optimised, in the order of the text, each once.
pub fn check(module: &Module<'_>, file: &str) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    for call in module.functions().into_iter().flat_map(Value::instructions) {
        let Some((helper, format)) = format_of(call) else { continue };
        let Some(message) = refused(&format, helper) else { continue };
        let place = call.place();
        let (line, column) = place.as_ref().map_or((0, 0), |place| (place.line, place.column));
        let file = place.map_or_else(|| file.to_owned(), |place| place.file);
        let told = |one: &Diagnostic| (one.line, one.column, &one.message) == (line, column, &message);
        if !found.iter().any(told) {
            let warning = Diagnostic::error(&file, line, column, message);
            found.push(Diagnostic { severity: Severity::Warning, ..warning });
        }
    }
    found.sort_by_key(|one| (one.line, one.column));
    found
}

/// The helper that a call prints by, and its format, where that is a constant.
fn format_of(call: Value<'_>) -> Option<(u64, Vec<u8>)> {
    if call.opcode() != Some(Opcode::LLVMCall) {
        return None;
    }
    let number = call.callee().and_then(number_of)?;
    let (_, index) = HELPERS.iter().find(|(helper, _)| *helper == number)?;
    let format = *call.call_args().get(*index)?;
    let text = if format.opcode() == Some(Opcode::LLVMAlloca) { copied_from(format)? } else { format };
    let mut bytes = text.constant_string()?;
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    bytes.truncate(end);
    Some((number, bytes))
}

/// The constant that a local array begins as.
fn copied_from(slot: Value<'_>) -> Option<Value<'_>> {
    let calls = slot.users().into_iter().filter(|user| user.opcode() == Some(Opcode::LLVMCall));
    calls
        .filter(|call| call.callee().is_some_and(|callee| callee.name().starts_with("llvm.memcpy")))
        .find_map(|call| call.call_args().get(1).copied())
        .filter(|from| from.is_global())
}

/// What the kernel has against a format; `None` when it takes it.
fn refused(format: &[u8], helper: u64) -> Option<String> {
    let nothing = "the kernel refuses the format and prints nothing";
    if let Some(byte) = format.iter().find(|byte| !is_printable(**byte)) {
        let what = if byte.is_ascii() { "a control character" } else { "a character that is not ASCII" };
        return Some(format!("{nothing}: it has {what}"));
    }
    let mut rest = format;
    let mut values = 0;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        rest = &rest[at + 1..];
        match conversion(rest) {
            Ok(Conversion { length, takes_value }) => {
                rest = &rest[length..];
                values += usize::from(takes_value);
            }
            Err(length) => {
                let words = String::from_utf8_lossy(&rest[..length.min(rest.len())]).into_owned();
                return Some(format!(
                    "{nothing}: it does not know `%{words}`, but `%d %i %u %x %X`, with `l` or `ll`, `%c`, `%s`, `%p`, and a width"
                ));
            }
        }
    }
    (helper == TRACE_PRINTK && values > MOST_VALUES)
        .then(|| format!("{nothing}: `bpf_trace_printk` has room for {MOST_VALUES} values, and it has {values}"))
}

/// `isprint` or `isspace` of an ASCII character.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte == b' ' || (9..=13).contains(&byte)
}

struct Conversion {
    length: usize,
    takes_value: bool,
}

/// What stands behind a `%`, as the kernel reads it; else how much of it names the conversion that it does not know.
fn conversion(rest: &[u8]) -> Result<Conversion, usize> {
    let at = |index: usize| rest.get(index).copied().unwrap_or(0);
    if at(0) == b'%' {
        return Ok(Conversion { length: 1, takes_value: false });
    }
    let mut index = 0;
    while matches!(at(index), b'0' | b'+' | b'-' | b' ') {
        index += 1;
    }
    while at(index).is_ascii_digit() {
        index += 1;
    }
    let known = |length| Ok(Conversion { length, takes_value: true });
    match at(index) {
        // Letters behind it say of what: `%pS`, `%pI4`, `%pks`. What else stands there is text.
        b'p' | b's' | b'c' => return known(index + 1),
        _ => {}
    }
    let mut longs = 0;
    while at(index) == b'l' && longs < 2 {
        index += 1;
        longs += 1;
    }
    match at(index) {
        b'd' | b'i' | b'u' | b'x' | b'X' => known(index + 1),
        _ => Err(name_length(rest)),
    }
}

/// How long a conversion is that the kernel does not know: flags, width, precision and length, and its letter.
fn name_length(rest: &[u8]) -> usize {
    let modifiers = b"#0123456789+- .*'hlLqjztI";
    rest.iter().take_while(|byte| modifiers.contains(byte)).count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_takes() {
        for format in ["%d %u %x\n", "%-16s|%08llx|%5d", "100%%", "%pS %pI4 %pks", "%c%li%lX", "\tplain", "% d"] {
            assert_eq!(refused(format.as_bytes(), TRACE_VPRINTK), None, "{format}");
        }
    }

    #[test]
    fn what_it_refuses() {
        for (format, name) in [
            ("%o", "`%o`"),
            ("a %#x b", "`%#x`"),
            ("%zu", "`%zu`"),
            ("%hhd", "`%hhd`"),
            ("%.3s", "`%.3s`"),
            ("%*d", "`%*d`"),
            ("%f", "`%f`"),
            ("%lld %llld", "`%llld`"),
            ("50%", "`%`"),
        ] {
            let told = refused(format.as_bytes(), TRACE_PRINTK).unwrap();
            assert!(told.contains(&format!("does not know {name}")), "{format}: {told}");
        }
        assert!(refused("größer".as_bytes(), TRACE_PRINTK).unwrap().contains("not ASCII"));
        assert!(refused(b"\x1b[0m", TRACE_PRINTK).unwrap().contains("a control character"));
        assert!(refused(b"%d %d %d %d", TRACE_PRINTK).unwrap().contains("and it has 4"));
        assert_eq!(refused(b"%d %d %d %d", TRACE_VPRINTK), None);
    }
}
