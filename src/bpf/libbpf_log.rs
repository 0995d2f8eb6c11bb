// SPDX-License-Identifier: Apache-2.0
//! libbpf's own messages: kept as evidence for an error, and printed only for who asks for them.

use std::cell::{Cell, RefCell};
use std::sync::Once;

use libbpf_rs::PrintLevel;

/// More warnings than this of one operation say nothing new.
const KEPT_WARNINGS: usize = 32;

thread_local! {
    static SHOWN_BY: Cell<Option<fn(&str)>> = const { Cell::new(None) };
    static KEPT: RefCell<Kept> = const { RefCell::new(Kept { level: PrintLevel::Warn, also: None, lines: Vec::new() }) };
}

struct Kept {
    level: PrintLevel,
    /// Lines that begin so are kept at any level.
    also: Option<&'static str>,
    lines: Vec<String>,
}

/// Runs `operation` and returns its result with the warnings that libbpf gave meanwhile.
pub fn capture<T>(operation: impl FnOnce() -> T) -> (T, Vec<String>) {
    capture_at(PrintLevel::Warn, None, operation)
}

/// The same with the lines of all levels that begin with these words, if any.
pub fn capture_and<T>(also: Option<&'static str>, operation: impl FnOnce() -> T) -> (T, Vec<String>) {
    match also {
        Some(_) => with_debugging(|| capture_at(PrintLevel::Warn, also, operation)),
        None => capture(operation),
    }
}

/// The same with all that libbpf says.
pub fn capture_all<T>(operation: impl FnOnce() -> T) -> (T, Vec<String>) {
    with_debugging(|| capture_at(PrintLevel::Debug, None, operation))
}

fn with_debugging<T>(operation: impl FnOnce() -> T) -> T {
    install();
    libbpf_rs::set_print(Some((PrintLevel::Debug, keep)));
    let result = operation();
    libbpf_rs::set_print(Some((usual_level(), keep)));
    result
}

/// From now on, every message of libbpf's is shown as well, those for debugging included.
pub fn show_all(show: fn(&str)) {
    install();
    SHOWN_BY.set(Some(show));
    libbpf_rs::set_print(Some((usual_level(), keep)));
}

fn usual_level() -> PrintLevel {
    if SHOWN_BY.get().is_some() { PrintLevel::Debug } else { PrintLevel::Warn }
}

fn capture_at<T>(level: PrintLevel, also: Option<&'static str>, operation: impl FnOnce() -> T) -> (T, Vec<String>) {
    install();
    KEPT.with_borrow_mut(|kept| *kept = Kept { level, also, lines: Vec::new() });
    let result = operation();
    (result, KEPT.replace(Kept { level: PrintLevel::Warn, also: None, lines: Vec::new() }).lines)
}

/// Keeps libbpf from writing to stderr, in this whole process.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        libbpf_rs::set_print(Some((PrintLevel::Warn, keep)));
    });
}

#[expect(clippy::needless_pass_by_value, reason = "the type that libbpf-rs calls")]
fn keep(level: PrintLevel, message: String) {
    if let Some(show) = SHOWN_BY.get() {
        message.lines().filter(|line| !line.trim().is_empty()).for_each(|line| show(line.trim_end()));
    }
    KEPT.with_borrow_mut(|kept| {
        let room = kept.level == PrintLevel::Debug || kept.lines.len() < KEPT_WARNINGS;
        let (by_level, also) = (level <= kept.level && room, kept.also);
        let lines = message.lines().filter(|line| !line.trim().is_empty());
        let lines = lines.map(|line| line.trim_start_matches("libbpf: ").trim_end());
        let wanted = lines.filter(|line| by_level || also.is_some_and(|start| line.starts_with(start)));
        kept.lines.extend(wanted.map(str::to_owned));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_lines_of_one_operation() {
        let ((), lines) = capture(|| {
            keep(PrintLevel::Warn, "libbpf: map 'x': failed to create\n\n".to_owned());
            keep(PrintLevel::Debug, "libbpf: much more\n".to_owned());
        });
        assert_eq!(lines, ["map 'x': failed to create"]);
        let ((), lines) = capture(|| ());
        assert!(lines.is_empty());
        let ((), lines) = capture_and(Some("extern"), || {
            keep(PrintLevel::Debug, "libbpf: extern 'f': found\n".to_owned());
            keep(PrintLevel::Debug, "libbpf: much more\n".to_owned());
            keep(PrintLevel::Warn, "libbpf: map 'x': failed to create\n".to_owned());
        });
        assert_eq!(lines, ["extern 'f': found", "map 'x': failed to create"]);
    }

    #[test]
    fn shows_them_to_who_asks() {
        thread_local!(static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) });
        SHOWN_BY.set(Some(|line| SEEN.with_borrow_mut(|seen| seen.push(line.to_owned()))));
        let ((), lines) = capture(|| keep(PrintLevel::Debug, "libbpf: loading\n\n".to_owned()));
        SHOWN_BY.set(None);
        assert!(lines.is_empty());
        assert_eq!(SEEN.take(), ["libbpf: loading"]);
    }
}
