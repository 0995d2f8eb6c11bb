// SPDX-License-Identifier: Apache-2.0
//! The kernel's constants and inline functions, of which a text gets those that it names.
//!
//! The headers `bpflua/constants*.h` and `bpflua/inlines*.h` are plain C, but clang is not given them: some thousands of
//! macros would cost more than the text itself. They are looked up like words in a dictionary instead, each with the
//! others that it needs before it. So a text may also use any of these names for functions of its own.

use std::collections::HashSet;

use super::types::Defined;
use crate::kernel::btf::{Btf, Kind, Type};

/// The headers that are dictionaries.
const DICTIONARIES: [&str; 2] = ["bpflua/constants", "bpflua/inlines"];
/// The one whose macros stand in for enumerators that only newer kernels have.
const STAND_INS: &str = "bpflua/constants_older.h";

/// Whether the header of this path is looked up rather than included.
pub fn is_dictionary(path: &str) -> bool {
    DICTIONARIES.iter().any(|prefix| path.starts_with(prefix))
}

/// One macro, or all of a conditional group.
struct Entry<'a> {
    text: &'a str,
    /// The enumerator in whose place it stands, on kernels that have none of this name.
    stand_in_for: Option<&'a str>,
}

/// Constants of the kernel that are the length of an array: name, struct, member. The number of this kernel's BTF is the
/// right one.
const LENGTHS: [(&str, &str, &str); 8] = [
    ("DISK_NAME_LEN", "gendisk", "disk_name"),
    ("DNAME_INLINE_LEN", "dentry", "d_iname"),
    ("DNAME_INLINE_LEN", "shortname_store", "string"),
    ("IFNAMSIZ", "net_device", "name"),
    ("KSYM_NAME_LEN", "bpf_ksym", "name"),
    ("MODULE_NAME_LEN", "module", "name"),
    ("TASK_COMM_LEN", "task_struct", "comm"),
    ("TCP_CA_NAME_MAX", "tcp_congestion_ops", "name"),
];

fn length_in(btf: &Btf, name: &str) -> Option<u32> {
    LENGTHS.iter().filter(|(constant, ..)| *constant == name).find_map(|(_, record, member)| {
        let found = [Kind::Struct, Kind::Union].into_iter().find_map(|kind| btf.find(kind, record))?;
        match btf.type_by_id(btf.resolve(btf.field(found, member)?.type_id)) {
            Type::Array(array) => Some(array.count),
            _ => None,
        }
    })
}

/// The dictionaries' entries by the names they define.
pub struct Dictionary<'a> {
    entries: Vec<Entry<'a>>,
    /// Each name with the numbers of its entries, in the order of the names.
    by_name: Vec<(&'a str, usize)>,
}

impl<'a> Dictionary<'a> {
    /// Reads those of the headers that are dictionaries.
    pub fn of(headers: &[(&'a str, &'a str)]) -> Dictionary<'a> {
        let mut dictionary = Dictionary { entries: Vec::with_capacity(1 << 13), by_name: Vec::with_capacity(1 << 13) };
        for (path, text) in headers.iter().filter(|(path, _)| is_dictionary(path)) {
            dictionary.read(text, *path == STAND_INS);
        }
        dictionary.by_name.sort_unstable();
        dictionary
    }

    fn read(&mut self, text: &'a str, is_stand_in: bool) {
        let (mut start, mut at, mut depth) = (0, 0, 0_u32);
        let mut names = Vec::new();
        let mut continued = false;
        for line in text.split_inclusive('\n') {
            let (begin, end) = (at, at + line.len());
            at = end;
            let in_entry = continued;
            continued = line.trim_end().ends_with('\\');
            if !in_entry {
                if depth == 0 {
                    start = begin;
                }
                let Some(directive) = line.trim_start().strip_prefix('#').map(str::trim_start) else { continue };
                depth += u32::from(directive.starts_with("if"));
                depth -= u32::from(directive.starts_with("endif")).min(depth);
                if let Some(rest) = directive.strip_prefix("define") {
                    names.extend(words(rest).next());
                } else if depth == 0 && !directive.starts_with("endif") {
                    continue;
                }
            }
            if depth == 0 && !continued && !names.is_empty() {
                self.add(&mut names, &text[start..end], is_stand_in);
            }
        }
    }

    fn add(&mut self, names: &mut Vec<&'a str>, text: &'a str, is_stand_in: bool) {
        let stand_in_for = names.first().copied().filter(|_| is_stand_in);
        for name in names.drain(..) {
            self.by_name.push((name, self.entries.len()));
        }
        self.entries.push(Entry { text, stand_in_for });
    }

    /// The numbers of the entries that define a name, in their order.
    fn numbers(&self, name: &str) -> impl Iterator<Item = usize> {
        let start = self.by_name.partition_point(|(other, _)| *other < name);
        self.by_name[start..].iter().take_while(move |(other, _)| *other == name).map(|(_, number)| *number)
    }

    /// Whether there is an entry of this name.
    pub fn has(&self, name: &str) -> bool {
        self.numbers(name).next().is_some()
    }

    /// The entries that these texts name, directly or through each other, each after those it needs.
    pub fn select(&self, texts: &[&str], btf: Option<&Btf>) -> String {
        let own = Defined::by(texts);
        let mut selection =
            Selection { dictionary: self, btf, seen: HashSet::new(), lengths: HashSet::new(), text: String::new() };
        for text in texts {
            for word in words(text).filter(|word| !own.names.contains(*word)) {
                selection.add(word);
            }
            for (fixed, is_prefix) in pasted(text) {
                let fits = |name: &str| if is_prefix { name.starts_with(fixed) } else { name.ends_with(fixed) };
                let names = self.by_name.iter().map(|(name, _)| *name).filter(|name| fits(name));
                names.for_each(|name| selection.add(name));
            }
        }
        selection.text
    }
}

struct Selection<'d, 'a> {
    dictionary: &'d Dictionary<'a>,
    btf: Option<&'d Btf>,
    seen: HashSet<usize>,
    /// Constants that this kernel's BTF has given.
    lengths: HashSet<String>,
    text: String,
}

impl Selection<'_, '_> {
    fn add(&mut self, name: &str) {
        let dictionary = self.dictionary;
        if let Some(length) = self.btf.and_then(|btf| length_in(btf, name)) {
            if self.lengths.insert(name.to_owned()) {
                self.text += &format!("#define {name} {length}\n");
            }
            return;
        }
        for number in dictionary.numbers(name) {
            let entry = &dictionary.entries[number];
            let is_there = |name: &str| self.btf.is_some_and(|btf| btf.enumerator(name).is_some());
            if entry.stand_in_for.is_some_and(is_there) || !self.seen.insert(number) {
                continue;
            }
            words(entry.text).for_each(|word| self.add(word));
            self.text += entry.text;
        }
    }
}

/// The names of a text, and what else looks like one.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The fixed parts of names that the preprocessor puts together, and whether they stand at the beginning.
pub(super) fn pasted(text: &str) -> Vec<(&str, bool)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut parts = Vec::new();
    for (at, _) in text.match_indices("##") {
        let (before, after) = (text[..at].trim_end(), text[at + 2..].trim_start());
        let start = before.rfind(|c| !is_word(c)).map_or(0, |at| at + 1);
        let end = after.find(|c| !is_word(c)).unwrap_or(after.len());
        // A parameter is as good as a fixed part: it fits nothing.
        parts.extend([(&before[start..], true), (&after[..end], false)].into_iter().filter(|(part, _)| part.len() > 2));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: [(&str, &str); 3] = [
        (
            "bpflua/constants_a.h",
            "/* Words. */\n#pragma clang system_header\n\n#define SIZE (1 << SHIFT)\n#define SHIFT 12\n\
             #if defined(A)\n#define LOW 1\n# if X\n#define HIGH 2\n# endif\n#else\n#define LOW 3\n#endif\n\
             #define LONG(x) \\\n\t((x) + \\\n\tSHIFT)\n#define OWN 7\n#define AF_INET 2\n#define AF_UNIX 1\n",
        ),
        ("bpflua/inlines.h", "#define twice(x) ((x) + (x))\n"),
        ("bpflua/maps.h", "#define MAPS 1\n"),
    ];

    fn select(text: &str) -> String {
        Dictionary::of(&HEADERS).select(&[text], None)
    }

    #[test]
    fn what_is_named_comes_with_what_it_needs() {
        assert_eq!(select("f(SIZE)"), "#define SHIFT 12\n#define SIZE (1 << SHIFT)\n");
        assert_eq!(select("int LONGER; MAPS"), "");
        assert_eq!(select("twice(1)"), "#define twice(x) ((x) + (x))\n");
        assert_eq!(select("LONG"), "#define SHIFT 12\n#define LONG(x) \\\n\t((x) + \\\n\tSHIFT)\n");
    }

    #[test]
    fn a_group_is_taken_whole() {
        let group = "#if defined(A)\n#define LOW 1\n# if X\n#define HIGH 2\n# endif\n#else\n#define LOW 3\n#endif\n";
        assert_eq!(select("HIGH + LOW"), group);
    }

    #[test]
    fn own_functions_win_and_pasted_names_are_found() {
        assert_eq!(select("static int twice(int x) { return x; }"), "");
        assert_eq!(select("#define F(x) AF_##x\nF(INET)"), "#define AF_INET 2\n#define AF_UNIX 1\n");
    }
}
