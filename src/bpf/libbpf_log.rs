// SPDX-License-Identifier: Apache-2.0
//! libbpf's own messages: kept as evidence for an error, never printed.

use std::cell::RefCell;
use std::sync::Once;

use libbpf_rs::PrintLevel;

/// More lines than this of one operation say nothing new.
const KEPT_LINES: usize = 32;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Runs `operation` and returns its result with the warnings that libbpf gave meanwhile.
pub fn capture<T>(operation: impl FnOnce() -> T) -> (T, Vec<String>) {
    install();
    LINES.with_borrow_mut(Vec::clear);
    let result = operation();
    (result, LINES.take())
}

/// Keeps libbpf from writing to stderr, in this whole process.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        libbpf_rs::set_print(Some((PrintLevel::Warn, keep)));
    });
}

fn keep(_level: PrintLevel, message: String) {
    LINES.with_borrow_mut(|lines| {
        for line in message.lines().filter(|line| !line.trim().is_empty()) {
            if lines.len() < KEPT_LINES {
                lines.push(line.trim_start_matches("libbpf: ").trim_end().to_owned());
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_lines_of_one_operation() {
        let ((), lines) = capture(|| keep(PrintLevel::Warn, "libbpf: map 'x': failed to create\n\n".to_owned()));
        assert_eq!(lines, ["map 'x': failed to create"]);
        let ((), lines) = capture(|| ());
        assert!(lines.is_empty());
    }
}
