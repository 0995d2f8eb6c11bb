// SPDX-License-Identifier: Apache-2.0
//! The files of a pack as data: where a pack comes from, each file passes the same checks on its way in here, and what goes
//! to the disk is written from here. So nothing but plain files below the pack's folder is ever made.
//!
//! The content hash of a tree is the SHA-256 of its [`Tree::listing`]: a line for each file in the order of their paths, with
//! its hash and whether it can be executed. Times, owners and other modes are no part of it.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use sha2::{Digest as _, Sha256};

use super::limits::Limits;
use crate::error::{Error, Result};

/// What bpflua notes of an installed pack, in its folder: no part of the pack.
pub const RECORD: &str = ".installed.toml";
/// The signature of a tree, which cannot be signed itself.
pub const SIGNATURE: &str = "pack.minisig";

/// A file of a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// Whether it can be executed.
    pub executable: bool,
}

/// What something is that a pack's source has at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A plain file with this mode.
    File {
        /// The permissions.
        mode: u32,
    },
    /// Something that no pack may hold, in words: "a symbolic link".
    Other(&'static str),
}

/// The files of a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    files: BTreeMap<String, File>,
    size_bytes: u64,
}

impl Tree {
    /// The files by their paths, in order.
    pub fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// A file's bytes.
    pub fn bytes(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path.strip_prefix("./").unwrap_or(path)).map(|file| file.bytes.as_slice())
    }

    /// A file's text; what is no UTF-8 is replaced.
    pub fn text(&self, path: &str) -> Option<String> {
        self.bytes(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// Whether there are no files.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Bytes of all files together.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Whether a file of `size_bytes` at `path` may be added, before it is read.
    pub fn admit(
        &self,
        path: &Path,
        found: Found,
        size_bytes: u64,
        limits: &Limits,
    ) -> std::result::Result<String, String> {
        let name = inside(path)?;
        let mode = match found {
            Found::File { mode } => mode,
            Found::Other(what) => return Err(format!("`{name}` is {what}; a pack has files and folders only")),
        };
        if mode & 0o6000 != 0 {
            return Err(format!("`{name}` has the set-user-ID or set-group-ID bit (mode {:04o})", mode & 0o7777));
        }
        let depth = name.matches('/').count() as u64;
        if depth > limits.depth {
            return Err(format!("`{name}` lies {depth} folders deep, more than {}", limits.depth));
        }
        if size_bytes > limits.file_bytes {
            return Err(format!("`{name}` has {size_bytes} bytes, more than the {} of a file", limits.file_bytes));
        }
        if self.size_bytes + size_bytes > limits.size_bytes {
            return Err(format!("its files have more than {} bytes", limits.size_bytes));
        }
        if self.files.len() as u64 >= limits.files {
            return Err(format!("it has more than {} files", limits.files));
        }
        if self.files.contains_key(&name) {
            return Err(format!("`{name}` is in it twice"));
        }
        Ok(name)
    }

    /// Adds a file that was admitted under this name.
    pub fn add(&mut self, name: String, file: File) {
        self.size_bytes += file.bytes.len() as u64;
        self.files.insert(name, file);
    }

    /// Adds a file that this program made.
    pub fn put(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.add(name.to_owned(), File { bytes: bytes.into(), executable: false });
    }

    /// The same without the one folder that everything is in, if it is so and no manifest is at the top.
    #[must_use]
    pub fn without_top_folder(self) -> Tree {
        let Some(top) =
            self.files.keys().next().and_then(|path| path.split_once('/')).map(|(top, _)| format!("{top}/"))
        else {
            return self;
        };
        if !self.files.keys().all(|path| path.starts_with(&top)) {
            return self;
        }
        self.below(&top)
    }

    /// The files whose paths begin with this, under the rest of their paths.
    #[must_use]
    pub fn below(&self, prefix: &str) -> Tree {
        let mut tree = Tree::default();
        for (path, file) in &self.files {
            if let Some(rest) = path.strip_prefix(prefix) {
                tree.add(rest.to_owned(), file.clone());
            }
        }
        tree
    }

    /// The canonical text that the content hash is of, and that a signature is of.
    pub fn listing(&self) -> String {
        let mut text = String::from("bpflua pack 1\n");
        for (path, file) in self.files.iter().filter(|(path, _)| *path != SIGNATURE) {
            let mark = if file.executable { 'x' } else { '-' };
            text += &format!("{} {mark} {path}\n", hex(&Sha256::digest(&file.bytes)));
        }
        text
    }

    /// The content hash, `sha256:` and 64 hexadecimal digits.
    pub fn digest(&self) -> String {
        digest_of(self.listing().as_bytes())
    }

    /// In what this tree differs from the one that a listing was made of: `changed: x`, `new: y`, `gone: z`.
    pub fn differences(&self, listing: &str) -> Vec<String> {
        let parse = |text: &str| -> BTreeMap<String, String> {
            let lines = text.lines().skip(1).filter_map(|line| line.split_at_checked(67));
            lines.map(|(facts, path)| (path.to_owned(), facts.to_owned())).collect()
        };
        let (then, now) = (parse(listing), parse(&self.listing()));
        let gone = then.keys().filter(|path| !now.contains_key(*path)).map(|path| format!("gone: {path}"));
        let others = now.iter().filter_map(|(path, facts)| match then.get(path) {
            None => Some(format!("new: {path}")),
            Some(before) => (before != facts).then(|| format!("changed: {path}")),
        });
        others.chain(gone).collect()
    }
}

/// `sha256:` and the hash of these bytes.
pub fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A path as it is in a pack: below its folder, without anything that a terminal or another tool would misread.
fn inside(path: &Path) -> std::result::Result<String, String> {
    let shown = path.display().to_string().escape_debug().to_string();
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => {
                let part = part.to_str().ok_or_else(|| format!("the name `{shown}` is no UTF-8"))?;
                if part.chars().any(|c| c.is_control() || c == '\\') {
                    return Err(format!("the name `{shown}` has a control character or a backslash"));
                }
                parts.push(part);
            }
            Component::RootDir | Component::Prefix(_) => return Err(format!("`{shown}` is an absolute path")),
            Component::ParentDir => return Err(format!("`{shown}` leads out of the pack's folder")),
        }
    }
    if parts.is_empty() {
        return Err(format!("`{shown}` is no name for a file"));
    }
    Ok(parts.join("/"))
}

/// The error of a source that holds what no pack may hold.
pub fn refused(source: &str, why: String) -> Error {
    Error::script(format!("cannot take the pack from `{source}`"), why)
}

/// The tree's own error type for callers that add many files.
pub fn admitted(result: std::result::Result<String, String>, source: &str) -> Result<String> {
    result.map_err(|why| refused(source, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(path: &str, found: Found) -> std::result::Result<String, String> {
        Tree::default().admit(Path::new(path), found, 1, &Limits::default())
    }

    const PLAIN: Found = Found::File { mode: 0o644 };

    #[test]
    fn only_plain_files_below_the_folder_are_admitted() {
        assert_eq!(admit("./a/b.lua", PLAIN).unwrap(), "a/b.lua");
        let cases = [
            ("../x", PLAIN, "`../x` leads out of the pack's folder"),
            ("a/../../x", PLAIN, "`a/../../x` leads out of the pack's folder"),
            ("/etc/x", PLAIN, "`/etc/x` is an absolute path"),
            ("a\n", PLAIN, "the name `a\\n` has a control character or a backslash"),
            (".", PLAIN, "`.` is no name for a file"),
            ("x", Found::Other("a symbolic link"), "`x` is a symbolic link; a pack has files and folders only"),
            ("x", Found::File { mode: 0o4755 }, "`x` has the set-user-ID or set-group-ID bit (mode 4755)"),
        ];
        for (path, found, why) in cases {
            assert_eq!(admit(path, found).unwrap_err(), why);
        }
    }

    #[test]
    fn limits_hold() {
        let limits = Limits { files: 1, size_bytes: 10, file_bytes: 8, depth: 1 };
        let mut tree = Tree::default();
        let admit = |tree: &Tree, path: &str, size| tree.admit(Path::new(path), PLAIN, size, &limits);
        assert_eq!(admit(&tree, "a", 9).unwrap_err(), "`a` has 9 bytes, more than the 8 of a file");
        assert_eq!(admit(&tree, "a/b/c", 1).unwrap_err(), "`a/b/c` lies 2 folders deep, more than 1");
        tree.put("a", "12345678");
        assert_eq!(admit(&tree, "b", 3).unwrap_err(), "its files have more than 10 bytes");
        assert_eq!(admit(&tree, "b", 1).unwrap_err(), "it has more than 1 files");
        let more = Limits { files: 9, ..limits };
        assert_eq!(tree.admit(Path::new("a"), PLAIN, 1, &more).unwrap_err(), "`a` is in it twice");
    }

    #[test]
    fn the_digest_is_of_paths_bytes_and_the_executable_bit() {
        let mut tree = Tree::default();
        tree.put("b.lua", "x");
        tree.put("a.lua", "y");
        let listing = tree.listing();
        let mut same = Tree::default();
        same.put("a.lua", "y");
        same.put("b.lua", "x");
        same.put(SIGNATURE, "not a part of it");
        assert_eq!(tree.digest(), same.digest());
        assert!(tree.digest().starts_with("sha256:") && tree.digest().len() == 71);
        let mut other = Tree::default();
        other.add("b.lua".into(), File { bytes: b"x".to_vec(), executable: true });
        other.put("c.lua", "y");
        assert_eq!(other.differences(&listing), ["changed: b.lua", "new: c.lua", "gone: a.lua"]);
    }

    #[test]
    fn one_top_folder_is_taken_off() {
        let mut tree = Tree::default();
        tree.put("x-1.0/pack.toml", "");
        tree.put("x-1.0/a/b.lua", "");
        let names = |tree: &Tree| tree.files().map(|(path, _)| path.to_owned()).collect::<Vec<_>>();
        assert_eq!(names(&tree.clone().without_top_folder()), ["a/b.lua", "pack.toml"]);
        tree.put("y", "");
        assert_eq!(names(&tree.without_top_folder()).len(), 3);
    }
}
