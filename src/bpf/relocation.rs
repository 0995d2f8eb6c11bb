// SPDX-License-Identifier: Apache-2.0
//! Which type or member a CO-RE relocation did not find.
//!
//! libbpf puts an invalid call in place of the instruction and tells more in its debug messages only, so the object is
//! opened once more to read them, when a program failed because of it.

use super::image;
use super::libbpf_log;
use super::options::ObjectOptions;
use super::sys::object as raw;

/// What a program needs of the kernel and the kernel does not have: `struct task_struct.never_a_member`.
pub fn find_missing(elf: &[u8], options: &ObjectOptions, symbol: &str) -> Option<String> {
    let ((), messages) = libbpf_log::capture_all(|| {
        if let Ok(opened) = image::open(elf, options) {
            // What fails has failed before: only the messages count.
            let _ = raw::prepare(&opened.object);
        }
    });
    parse_missing(&messages, symbol)
}

fn parse_missing(messages: &[String], symbol: &str) -> Option<String> {
    let start = format!("prog '{symbol}': relo #");
    let mut relocations = messages.iter().filter_map(|line| line.strip_prefix(&start)?.split_once(": "));
    let (missing, _) = relocations.clone().find(|(_, text)| *text == "no matching targets found")?;
    let (_, spec) = relocations.find(|(number, text)| *number == missing && text.starts_with('<'))?;
    // `<byte_off> [12] struct task_struct___other.never_a_member (0:0 @ offset 0)`
    let (_, wanted) = spec.split_once("] ")?;
    let wanted = wanted.split_once(" (").map_or(wanted, |(wanted, _)| wanted);
    Some(without_flavour(wanted))
}

/// A type's name may carry what libbpf does not compare: `task_struct___other`.
fn without_flavour(name: &str) -> String {
    let Some(start) = name.find("___") else { return name.to_owned() };
    let end = name[start..].find(['.', ':', '[']).map_or(name.len(), |end| start + end);
    format!("{}{}", &name[..start], &name[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_member_is_found_among_libbpfs_messages() {
        let messages: Vec<String> = [
            "sec 'kprobe': found 2 CO-RE relocations",
            "prog 'f': relo #0: <byte_off> [9] struct task_struct.pid (0:1 @ offset 4)",
            "prog 'f': relo #0: matching candidate #0 <byte_off> [142] struct task_struct.pid (0:87 @ offset 2448)",
            "prog 'f': relo #1: <byte_off> [12] struct task_struct___other.gone (0:0 @ offset 0)",
            "prog 'f': relo #1: no matching targets found",
            "prog 'f': relo #1: substituting insn #4 w/ invalid insn",
        ]
        .map(str::to_owned)
        .to_vec();
        assert_eq!(parse_missing(&messages, "f").as_deref(), Some("struct task_struct.gone"));
        assert_eq!(parse_missing(&messages, "g"), None);
        assert_eq!(without_flavour("enum kind___v2::VALUE = 3"), "enum kind::VALUE = 3");
    }
}
