// SPDX-License-Identifier: Apache-2.0
//! The text of a script: from a file, from standard input, or from the command line.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A script's text and the name it goes by.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// What Lua shows in messages: the path as the user gave it, `stdin`, or `-e`.
    pub name: String,
    /// The text, byte for byte.
    pub text: Vec<u8>,
    /// The file it came from, if it came from one.
    pub path: Option<PathBuf>,
}

impl Script {
    /// Reads a file.
    pub fn read_file(path: &Path) -> Result<Script> {
        let name = path.display().to_string();
        let text = std::fs::read(path).map_err(|error| unreadable(&name, &error))?;
        Ok(Script { name, text, path: Some(path.to_owned()) })
    }

    /// Reads standard input to its end.
    pub fn read_stdin() -> Result<Script> {
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text).map_err(|error| unreadable("standard input", &error))?;
        Ok(Script { name: "stdin".to_owned(), text, path: None })
    }

    /// A script given as an argument.
    pub fn from_argument(text: &str) -> Script {
        Script { name: "-e".to_owned(), text: text.as_bytes().to_vec(), path: None }
    }

    /// The name of its Lua chunk: `@file` for a file, `=name` otherwise.
    pub fn chunk_name(&self) -> String {
        let mark = if self.path.is_some() { '@' } else { '=' };
        format!("{mark}{}", self.name)
    }

    /// The text as Lua takes it: a first line that begins with `#` is blanked, the line count stays.
    pub fn lua_text(&self) -> &[u8] {
        if !self.text.starts_with(b"#") {
            return &self.text;
        }
        let end = self.text.iter().position(|byte| *byte == b'\n').unwrap_or(self.text.len());
        &self.text[end..]
    }

    /// One line of the text, counted from 1.
    pub fn line(&self, number: u32) -> Option<String> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let line = self.text.split(|byte| *byte == b'\n').nth(index)?;
        Some(String::from_utf8_lossy(line).trim_end().to_owned())
    }
}

fn unreadable(name: &str, error: &std::io::Error) -> Error {
    let errno = error.raw_os_error().unwrap_or_default();
    Error::script(format!("cannot read script `{name}`"), crate::error::errno_words(errno)).with_errno(errno)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shebang_line_is_blanked_and_lines_keep_their_numbers() {
        let script = Script::from_argument("#!/usr/bin/env bpflua\nprint(1)");
        assert_eq!(script.lua_text(), b"\nprint(1)");
        assert_eq!(script.line(2).as_deref(), Some("print(1)"));
        assert_eq!(Script::from_argument("#!x").lua_text(), b"");
        assert_eq!(Script::from_argument("x = 1").lua_text(), b"x = 1");
    }

    #[test]
    fn a_missing_script_is_the_users_error() {
        let error = Script::read_file(Path::new("no/such.lua")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read script `no/such.lua`: no such file or directory (ENOENT)");
        assert_eq!(error.kind(), crate::error::Kind::Script);
    }
}
