// SPDX-License-Identifier: Apache-2.0
//! bcc-lua's command line, for an executable that goes by its name: scripts say `#!/usr/bin/env bcc-lua`.

use std::ffi::OsString;
use std::path::Path;

/// What bcc-lua's two launchers are called.
const NAMES: [&str; 2] = ["bcc-lua", "bcc-probe"];

/// A command line in bpflua's words, and what it says that bpflua has no option for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub words: Vec<OsString>,
    /// The name that the command was called by, if it is one of bcc-lua's.
    pub called: Option<String>,
    /// LLVM's form of each C text is shown.
    pub llvm_debug: bool,
}

/// Reads a command line, the name of the command first.
pub fn read(words: impl IntoIterator<Item = OsString>) -> Line {
    let mut words = words.into_iter();
    let Some(command) = words.next() else { return Line::default() };
    let name = Path::new(&command).file_name().map(|name| name.to_string_lossy().into_owned());
    let called = name.filter(|name| NAMES.contains(&name.as_str()));
    let mut line = Line { words: vec![command], called, llvm_debug: false };
    if line.called.is_some() {
        let is_option = |word: &OsString| word.to_str().is_some_and(|word| word.starts_with('-') && word != "--");
        let mut rest = words.by_ref().peekable();
        while let Some(option) = rest.next_if(is_option) {
            match option.to_str() {
                Some("-v" | "--version") => line.words.push("--version".into()),
                Some("-V") => line.words.push("--verbose".into()),
                Some("--llvm-debug") => line.llvm_debug = true,
                // There is no library to be loaded.
                Some(path) if path.starts_with("--so-path=") => {}
                _ => line.words.push(option),
            }
        }
        line.words.extend(rest);
    } else {
        line.words.extend(words);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(words: &str) -> (String, bool) {
        let line = read(words.split(' ').map(OsString::from));
        let words: Vec<_> = line.words.iter().map(|word| word.to_string_lossy()).collect();
        (words.join(" "), line.llvm_debug)
    }

    #[test]
    fn options_mean_what_they_mean_there() {
        assert_eq!(translated("/usr/bin/bcc-lua -v"), ("/usr/bin/bcc-lua --version".to_owned(), false));
        assert_eq!(translated("bcc-lua -V a.lua -v -V"), ("bcc-lua --verbose a.lua -v -V".to_owned(), false));
        assert_eq!(translated("bcc-probe --so-path=/x --llvm-debug a.lua"), ("bcc-probe a.lua".to_owned(), true));
        assert_eq!(translated("bcc-lua --llvm-debug -- -v.lua"), ("bcc-lua -- -v.lua".to_owned(), true));
        assert_eq!(read(["bcc-lua".into()]).called.as_deref(), Some("bcc-lua"));
    }

    #[test]
    fn another_name_changes_nothing() {
        assert_eq!(translated("bpflua -v --llvm-debug a.lua"), ("bpflua -v --llvm-debug a.lua".to_owned(), false));
        assert_eq!(read(["bpflua".into()]).called, None);
        assert_eq!(read([]), Line::default());
    }
}
