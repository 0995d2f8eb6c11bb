// SPDX-License-Identifier: Apache-2.0
//! The comment at the head of a Lua file that holds the data of its entry: `--[==[ pack`, lines of TOML, `]==]`.
//!
//! It stands before any code; only comments and empty lines may come first.

/// The block's text and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// The lines between the opening and the closing line.
    pub text: &'a str,
    /// The number of its first line, from 1.
    pub line: u32,
}

/// The block of a text, if it has one.
pub fn find(text: &str) -> Option<Block<'_>> {
    let (mut at, mut line) = (0, 1);
    loop {
        let rest = &text[at..];
        let length = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let first = rest[..length].trim();
        if let Some(closing) = opening(first) {
            let inside = &rest[length..];
            let end = inside.find(&closing)?;
            return Some(Block { text: &inside[..end], line: line + 1 });
        }
        let is_before_code = first.is_empty() || first.starts_with("--") || (line == 1 && first.starts_with('#'));
        if !is_before_code || first.starts_with("--[[") || first.starts_with("--[=") || length == 0 {
            return None;
        }
        at += length;
        line += 1;
    }
}

/// What closes the block, when the line opens one: `--[=[ pack` with any number of `=`.
fn opening(line: &str) -> Option<String> {
    let rest = line.strip_prefix("--[")?;
    let level = rest.len() - rest.trim_start_matches('=').len();
    let word = rest[level..].strip_prefix('[')?.trim();
    (word == "pack").then(|| format!("]{}]", "=".repeat(level)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_before_any_code() {
        let found = find("#!/usr/bin/env bpflua\n-- a comment\n\n--[==[ pack\nx = [[1]]\n]==]\nprint(2)").unwrap();
        assert_eq!(found, Block { text: "x = [[1]]\n", line: 5 });
        assert_eq!(find("--[[ pack\na = 1\n]]").unwrap().text, "a = 1\n");
        for none in ["print(1)\n--[[ pack\n]]", "--[[ packs\n]]", "", "--[[ pack\nnever closed", "-- x"] {
            assert_eq!(find(none), None, "{none}");
        }
    }
}
