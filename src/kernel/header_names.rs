// SPDX-License-Identifier: Apache-2.0
//! What the kernel's headers define that BTF does not know: macros and inline functions.

use std::fs;
use std::path::{Path, PathBuf};

use super::headers::KernelHeaders;

/// What a name is in the headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defined {
    /// `#define NAME`.
    Macro,
    /// `static inline … NAME(`.
    Inline,
}

/// Where the headers define a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// As what.
    pub defined: Defined,
    /// The file, from the folder of the sources or of the build on.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
}

impl KernelHeaders {
    /// The first macro or inline function of this name, in the order of the include folders.
    ///
    /// All headers are read, which takes some tenths of a second.
    pub fn definition(&self, name: &str, arch: &str) -> Option<Definition> {
        if name.is_empty() {
            return None;
        }
        let finder = memchr::memmem::Finder::new(name);
        self.include_dirs(arch).into_iter().flat_map(|dir| files(&dir)).find_map(|file| {
            let bytes = fs::read(&file).ok()?;
            finder.find(&bytes)?;
            let (line, defined) = defined_in(&String::from_utf8_lossy(&bytes), name)?;
            let short = [&self.source, &self.build].into_iter().find_map(|half| file.strip_prefix(half).ok());
            Some(Definition { defined, file: short.unwrap_or(&file).to_owned(), line })
        })
    }
}

/// The headers in a folder and those below it, in the order of their names.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut pending) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(entry.path()),
                Ok(_) if entry.path().extension().is_some_and(|end| end == "h") => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// The line of a text that defines a name, and as what.
fn defined_in(text: &str, name: &str) -> Option<(usize, Defined)> {
    let mut before = "";
    for (number, line) in text.lines().enumerate() {
        if let Some(at) = word_at(line, name) {
            let head = &line[..at];
            if head.split_whitespace().collect::<String>() == "#define" {
                return Some((number + 1, Defined::Macro));
            }
            // The result's type may stand on a line of its own.
            let is_inline = |text: &str| text.contains("inline") && text.trim_start().starts_with("static");
            let is_head = line[at + name.len()..].trim_start().starts_with('(') && !head.contains(['=', '(']);
            let starts_here = is_inline(head) || (head.trim().is_empty() && is_inline(before));
            if is_head && starts_here && !line.trim_end().ends_with(';') {
                return Some((number + 1, Defined::Inline));
            }
        }
        before = line;
    }
    None
}

/// Where a line has a name as a word of its own.
fn word_at(line: &str, name: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name)
        .map(|(at, _)| at)
        .find(|&at| !line[..at].ends_with(is_part) && !line[at + name.len()..].starts_with(is_part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "/* skb_len(skb) tells the length. */\nstatic inline int skb_len(const struct sk_buff *skb);\n\
        # define MAX_FRAGS 17\nextern int total(void);\nstatic __always_inline unsigned\nskb_len(const struct sk_buff *skb)\n{\n\
        \treturn more(skb);\n}\nstatic inline bool is_long(void) { return skb_len(0) > MAX_FRAGS_SOFT; }\n";

    #[test]
    fn definitions_are_no_uses() {
        let of = |name| defined_in(TEXT, name);
        assert_eq!(of("skb_len"), Some((6, Defined::Inline)));
        assert_eq!(of("MAX_FRAGS"), Some((3, Defined::Macro)));
        assert_eq!(of("is_long"), Some((10, Defined::Inline)));
        assert_eq!([of("total"), of("more"), of("MAX_FRAGS_SOFT"), of("len")], [None; 4]);
    }

    #[test]
    fn headers_are_searched_in_their_order() {
        let root = std::env::temp_dir().join(format!("bpflua-header-names-{}", std::process::id()));
        let dir = root.join("include/linux/sub");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("b.h"), TEXT).unwrap();
        fs::write(root.join("include/linux/c.h"), TEXT).unwrap();
        fs::write(root.join("include/linux/a.txt"), TEXT).unwrap();
        let headers = KernelHeaders { source: root.clone(), build: root.clone() };
        let found = headers.definition("MAX_FRAGS", "x86");
        let wanted = Definition { defined: Defined::Macro, file: "include/linux/c.h".into(), line: 3 };
        assert_eq!(found, Some(wanted));
        assert_eq!(headers.definition("MAX_FRAGS_SOFT", "x86"), None);
        assert_eq!(headers.definition("", "x86"), None);
        fs::remove_dir_all(root).unwrap();
    }
}
