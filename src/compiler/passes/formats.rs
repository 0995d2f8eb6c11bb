// SPDX-License-Identifier: Apache-2.0
//! Warns of formats that the kernel refuses: a program that prints with one loads, runs, and prints nothing.
//!
//! clang compares the values with the format; what it cannot know is how little of `printf` the kernel's own reader of
//! formats takes (`bpf_bprintf_prepare` in the kernel's `kernel/bpf/helpers.c`). Before Linux 5.13 `bpf_trace_printk` had a
//! reader of its own (in `kernel/trace/bpf_trace.c`) that takes less.

use super::helpers::number_of;
use crate::compiler::diagnostic::{Diagnostic, Severity};
use crate::compiler::ir::{Module, Opcode, Value};
use crate::kernel::btf::Btf;

/// The helpers that take a format: their numbers, and which argument it is.
const HELPERS: [(u64, usize); 4] = [(TRACE_PRINTK, 0), (126, 1), (165, 2), (TRACE_VPRINTK, 0)];
const TRACE_PRINTK: u64 = 6;
const TRACE_VPRINTK: u64 = 177;
/// The values that `bpf_trace_printk` has room for.
const MOST_VALUES: usize = 3;

/// A helper of the kernel's that came together with the one reader for all formats.
const CAME_WITH_COMMON_READER: &str = "BPF_FUNC_snprintf";
const ALWAYS_THERE: &str = "BPF_FUNC_trace_printk";

/// The warnings about the formats of a module that is optimised, in the order of the text, each once. `kernel` has the
/// types of the kernel that is to print.
pub fn check(module: &Module<'_>, file: &str, kernel: Option<&Btf>) -> Vec<Diagnostic> {
    let has = |name| kernel.is_some_and(|btf| btf.enumerator(name).is_some());
    // Types that name no helpers say nothing of the kernel's age.
    let own_reader = has(ALWAYS_THERE) && !has(CAME_WITH_COMMON_READER);
    let mut found: Vec<Diagnostic> = Vec::new();
    for call in module.functions().into_iter().flat_map(Value::instructions) {
        let Some((helper, format)) = format_of(call) else { continue };
        let by_own_reader = own_reader && helper == TRACE_PRINTK;
        let message = if by_own_reader { refused_before_5_13(&format) } else { refused(&format, helper) };
        let Some(message) = message else { continue };
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

const NOTHING: &str = "the kernel refuses the format and prints nothing";

/// What the kernel has against the characters of a format.
fn unprintable(format: &[u8]) -> Option<String> {
    let byte = format.iter().find(|byte| !is_printable(**byte))?;
    let what = if byte.is_ascii() { "a control character" } else { "a character that is not ASCII" };
    Some(format!("{NOTHING}: it has {what}"))
}

fn too_many(values: usize) -> String {
    format!("{NOTHING}: `bpf_trace_printk` has room for {MOST_VALUES} values, and it has {values}")
}

/// What the kernel has against a format; `None` when it takes it.
fn refused(format: &[u8], helper: u64) -> Option<String> {
    if let Some(why) = unprintable(format) {
        return Some(why);
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
            Err(unfit) => return Some(unfit.told(rest, "it", "with `l` or `ll`, `%c`, `%s`, `%p`, and a width")),
        }
    }
    (helper == TRACE_PRINTK && values > MOST_VALUES).then(|| too_many(values))
}

/// What `bpf_trace_printk` has against a format before Linux 5.13.
fn refused_before_5_13(format: &[u8]) -> Option<String> {
    if let Some(why) = unprintable(format) {
        return Some(why);
    }
    let mut rest = format;
    let (mut values, mut strings) = (0, 0);
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        rest = &rest[at + 1..];
        let (length, is_string) = match conversion_before_5_13(rest) {
            Ok(known) => known,
            Err(unfit) => {
                return Some(unfit.told(rest, "before Linux 5.13 it", "with `l` or `ll`, `%s` and `%p`, and no width"));
            }
        };
        rest = &rest[length..];
        (values, strings) = (values + 1, strings + usize::from(is_string));
    }
    if strings > 1 {
        return Some(format!("{NOTHING}: before Linux 5.13 it takes one `%s`, and it has {strings}"));
    }
    (values > MOST_VALUES).then(|| too_many(values))
}

/// How long what stands behind a `%` is to that reader, and whether it is a string.
fn conversion_before_5_13(rest: &[u8]) -> Result<(usize, bool), Unfit> {
    let at = |index: usize| rest.get(index).copied().unwrap_or(0);
    match (at(0), at(1), at(2)) {
        (b'p', b'k' | b'u', b's') => ended(rest, 3).map(|length| (length, true)),
        (b'p', b'B', _) => Ok((2, false)),
        (b'p', ..) => ended(rest, 1).map(|length| (length, false)),
        (b's', ..) => ended(rest, 1).map(|length| (length, true)),
        _ => {
            let longs = rest.iter().take(2).take_while(|byte| **byte == b'l').count();
            let known = matches!(at(longs), b'd' | b'i' | b'u' | b'x').then_some((longs + 1, false));
            known.ok_or(Unfit::Unknown(name_length(rest)))
        }
    }
}

/// Why the kernel does not take what stands behind a `%`.
enum Unfit {
    /// It does not know it; so many characters name it.
    Unknown(usize),
    /// After so many characters stands a letter or digit, and it wants none there.
    Goes(usize),
}

impl Unfit {
    /// `who` refuses it, and takes conversions `with` these.
    fn told(&self, rest: &[u8], who: &str, with: &str) -> String {
        let (Unfit::Unknown(length) | Unfit::Goes(length)) = *self;
        let words = String::from_utf8_lossy(&rest[..length.min(rest.len())]).into_owned();
        match self {
            Unfit::Unknown(_) => {
                let x = if with.ends_with("no width") { "`%d %i %u %x`" } else { "`%d %i %u %x %X`" };
                format!("{NOTHING}: {who} does not know `%{words}`, but {x}, {with}")
            }
            Unfit::Goes(_) => {
                format!(
                    "{NOTHING}: behind `%{words}` {who} takes a space, punctuation or the end, and no letter or digit"
                )
            }
        }
    }
}

/// A conversion of this length, if what follows does not look like more of it.
fn ended(rest: &[u8], length: usize) -> Result<usize, Unfit> {
    match rest.get(length) {
        Some(byte) if byte.is_ascii_alphanumeric() => Err(Unfit::Goes(length)),
        _ => Ok(length),
    }
}

/// `isprint` or `isspace` of an ASCII character.
fn is_printable(byte: u8) -> bool {
    byte.is_ascii_graphic() || byte == b' ' || (9..=13).contains(&byte)
}

struct Conversion {
    length: usize,
    takes_value: bool,
}

/// What stands behind a `%`, as the kernel reads it.
fn conversion(rest: &[u8]) -> Result<Conversion, Unfit> {
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
    let known = |length| Conversion { length, takes_value: true };
    match at(index) {
        b'p' => return pointer(rest, index + 1).map(known),
        b's' => return ended(rest, index + 1).map(known),
        b'c' => return Ok(known(index + 1)),
        _ => {}
    }
    let longs = rest[index.min(rest.len())..].iter().take(2).take_while(|byte| **byte == b'l').count();
    match at(index + longs) {
        b'd' | b'i' | b'u' | b'x' | b'X' => Ok(known(index + longs + 1)),
        _ => Err(Unfit::Unknown(name_length(rest))),
    }
}

/// How long a conversion is whose `%p` ends at `end`: letters behind it say of what.
fn pointer(rest: &[u8], end: usize) -> Result<usize, Unfit> {
    let at = |index: usize| rest.get(end + index).copied().unwrap_or(0);
    match (at(0), at(1)) {
        (b'k' | b'u', b's') => ended(rest, end + 2),
        (b'K' | b'x' | b's' | b'S' | b'B', _) => Ok(end + 1),
        (b'i' | b'I', b'4' | b'6') => Ok(end + 2),
        _ => ended(rest, end),
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
        for format in
            ["%d %u %x\n", "%-16s|%08llx|%5d", "100%%", "%pS %pI4 %pks", "%c%li%lX", "\tplain", "% d", "%pBx%dx"]
        {
            assert_eq!(refused(format.as_bytes(), TRACE_VPRINTK), None, "{format}");
        }
        for (format, name) in
            [("%sx", "`%s`"), ("%-8s8", "`%-8s`"), ("%pa", "`%p`"), ("%pksx", "`%pks`"), ("%pI5", "`%p`")]
        {
            let told = refused(format.as_bytes(), TRACE_VPRINTK).unwrap();
            assert!(told.contains(&format!("behind {name} it takes a space")), "{format}: {told}");
        }
    }

    #[test]
    fn what_it_takes_before_5_13() {
        for format in ["%d %u %x\n", "pid %lld, %llx", "%li", "%s: %d\n", "[%s]%d", "%pks %d", "%pB", "%p %p\n", "%p|"]
        {
            assert_eq!(refused_before_5_13(format.as_bytes()), None, "{format}");
        }
        for (format, name) in [
            ("%-16s", "`%-16s`"),
            ("%5d", "`%5d`"),
            ("%08llx", "`%08llx`"),
            ("100%%", "`%%`"),
            ("%c", "`%c`"),
            ("%X", "`%X`"),
            ("%o", "`%o`"),
            ("50%", "`%`"),
        ] {
            let told = refused_before_5_13(format.as_bytes()).unwrap();
            assert!(told.contains(&format!("does not know {name}")), "{format}: {told}");
        }
        for format in ["%pS", "%pI4", "%sx", "%pksx"] {
            let told = refused_before_5_13(format.as_bytes()).unwrap();
            assert!(told.contains("before Linux 5.13 it takes a space, punctuation"), "{format}: {told}");
        }
        assert!(refused_before_5_13(b"%s %s").unwrap().contains("takes one `%s`, and it has 2"));
        assert!(refused_before_5_13(b"%d %d %d %d").unwrap().contains("and it has 4"));
        assert!(refused_before_5_13("größer".as_bytes()).unwrap().contains("not ASCII"));
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
