// SPDX-License-Identifier: Apache-2.0
//! A pack's manifest: `pack.toml` of a folder, or the same data in a comment at the head of a Lua file. Parsed, never run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::entry::{Column, Entry, Example, Output, Parameter, Requires};
use super::{head, rules};
use crate::error::{Error, Location, Result};

/// The version of what a pack can rely on: the manifest's fields, the functions of `BPF.tool()`.
pub const API: u32 = 1;

/// What a pack is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Lower-case letters, digits and hyphens, a letter first.
    pub name: String,
    /// A version by the rules of semver.org.
    pub version: String,
    /// The API it was written for.
    pub api: u32,
    /// One line that says what it is for.
    #[serde(default)]
    pub summary: String,
    /// An SPDX expression.
    #[serde(default)]
    pub license: String,
    /// Who wrote it.
    #[serde(default)]
    pub authors: Vec<String>,
    /// Words to find it by.
    #[serde(default)]
    pub keywords: Vec<String>,
}

/// An entry as `pack.toml` names it: a file that says the rest in its head, or with everything here.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum EntryPoint {
    /// The Lua file, from the pack's folder.
    File(String),
    /// The Lua file and what its head would say.
    Whole(Box<WholeEntry>),
}

/// An entry with its file.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WholeEntry {
    /// The Lua file, from the pack's folder.
    pub file: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    parameters: Vec<Parameter>,
    #[serde(default)]
    columns: Vec<Column>,
    #[serde(default)]
    outputs: BTreeMap<String, Output>,
    #[serde(default)]
    examples: Vec<Example>,
    #[serde(default)]
    requires: Requires,
}

/// Another pack that one needs: the versions that will do, and where it is when that cannot be told by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Dependency {
    /// The versions alone: `base = "^1.0"`.
    Versions(String),
    /// With where it is installed from: `base = { version = "^1.0", source = "https://…/base.git" }`.
    From {
        /// The versions that will do.
        version: String,
        /// A source as `bpflua pack install` takes it.
        source: String,
    },
}

impl Dependency {
    /// The versions that will do, as they are written.
    pub fn versions(&self) -> &str {
        match self {
            Dependency::Versions(versions) | Dependency::From { version: versions, .. } => versions,
        }
    }

    /// Where it is installed from, when the manifest says it.
    pub fn source(&self) -> Option<&str> {
        match self {
            Dependency::Versions(_) => None,
            Dependency::From { source, .. } => Some(source),
        }
    }
}

/// Where a pack's tests are.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tests {
    /// Patterns of Lua files, from the pack's folder.
    pub files: Vec<String>,
}

/// All of `pack.toml`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What the pack is.
    pub pack: Pack,
    /// What all of its entries need and ask for.
    #[serde(default)]
    pub requires: Requires,
    /// Other packs, with the versions that will do, by the rules of Cargo.
    #[serde(default)]
    pub dependencies: BTreeMap<String, Dependency>,
    /// The commands, by name.
    #[serde(default)]
    pub entries: BTreeMap<String, EntryPoint>,
    /// Its tests.
    #[serde(default)]
    pub tests: Tests,
}

/// The head of a Lua file: what its entry says of itself and, in a pack of one file, what the pack is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HeadData {
    pack: Option<Pack>,
    dependencies: BTreeMap<String, Dependency>,
    summary: String,
    description: String,
    parameters: Vec<Parameter>,
    columns: Vec<Column>,
    outputs: BTreeMap<String, Output>,
    examples: Vec<Example>,
    requires: Requires,
}

/// What the head of a Lua file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    /// What the pack is, when the file is a pack of its own.
    pub pack: Option<Pack>,
    /// Packs that it needs.
    pub dependencies: BTreeMap<String, Dependency>,
    /// What the entry says of itself.
    pub entry: Entry,
}

impl Manifest {
    /// Reads the text of a `pack.toml`; `file` is what it is called in errors.
    pub fn parse(text: &str, file: &str) -> Result<Manifest> {
        let what = || format!("cannot read the manifest `{file}`");
        let manifest: Manifest = toml(text, file, what())?;
        rules::manifest(&manifest, file)?;
        Ok(manifest)
    }
}

impl EntryPoint {
    /// The Lua file, from the pack's folder.
    pub fn file(&self) -> &str {
        match self {
            EntryPoint::File(file) => file,
            EntryPoint::Whole(entry) => &entry.file,
        }
    }

    /// What the manifest says of the entry; none when the file's head does.
    pub fn entry(&self) -> Option<Entry> {
        let EntryPoint::Whole(whole) = self else { return None };
        let WholeEntry { summary, description, parameters, columns, outputs, examples, requires, .. } =
            (**whole).clone();
        Some(Entry { summary, description, parameters, columns, outputs, examples, requires })
    }
}

impl Head {
    /// Reads the head of a Lua file, if it has one.
    pub fn parse(text: &str, file: &str) -> Result<Option<Head>> {
        let Some(block) = head::find(text) else { return Ok(None) };
        let what = || format!("cannot read the head of `{file}`");
        let data: HeadData =
            toml::from_str(block.text).map_err(|error| wrong(&error, block.text, file, block.line - 1, what()))?;
        let HeadData { pack, dependencies, summary, description, parameters, columns, outputs, examples, requires } =
            data;
        let entry = Entry { summary, description, parameters, columns, outputs, examples, requires };
        rules::head(pack.as_ref(), &entry, file)?;
        rules::dependencies(&dependencies, file)?;
        Ok(Some(Head { pack, dependencies, entry }))
    }
}

/// Reads a text in TOML; an error says `what` could not be done, and has the line.
pub(super) fn toml<T: serde::de::DeserializeOwned>(text: &str, file: &str, what: String) -> Result<T> {
    toml::from_str(text).map_err(|error| wrong(&error, text, file, 0, what))
}

/// What the TOML reader says, with the line and a caret.
fn wrong(error: &toml::de::Error, text: &str, file: &str, lines_before: u32, what: String) -> Error {
    let Some(span) = error.span() else { return Error::script(what, error.message()) };
    let before = &text[..span.start.min(text.len())];
    let line = u32::try_from(before.matches('\n').count()).unwrap_or(0);
    let column = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
    let shown = text.lines().nth(line as usize).unwrap_or_default();
    let number = lines_before + line + 1;
    let mut location = Location::new(file, number, u32::try_from(column + 1).unwrap_or(0));
    location.excerpt = vec![format!("{number:>3} > {shown}"), format!("    | {:column$}^", "")];
    Error::script(what, error.message().replace('\n', "; ")).with_location(location)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOL: &str = r#"
[pack]
name = "opens"
version = "1.2.0"
api = 1

[requires]
attach = ["tracepoint:syscalls:*"]

[dependencies]
base = "^1.0"

[entries]
opens = "opens.lua"
closes = { file = "closes.lua", summary = "Closed files", parameters = [{ name = "pid", type = "pid" }] }
"#;

    #[test]
    fn entries_are_files_or_tables() {
        let manifest = Manifest::parse(TOOL, "pack.toml").unwrap();
        assert_eq!(manifest.pack.name, "opens");
        assert_eq!(manifest.entries["opens"].file(), "opens.lua");
        assert_eq!(manifest.entries["opens"].entry(), None);
        assert_eq!(manifest.entries["closes"].entry().unwrap().parameters[0].name, "pid");
    }

    #[test]
    fn a_typo_is_shown_with_its_line() {
        let error = Manifest::parse("[pack]\nname = \"x\"\nverison = \"1\"\n", "pack.toml").unwrap_err();
        let report = error.report();
        assert!(report.contains("cannot read the manifest `pack.toml`: unknown field `verison`"), "{report}");
        assert!(report.contains("--> pack.toml:3:1\n   3 > verison = \"1\"\n     | ^"), "{report}");
    }

    #[test]
    fn the_head_of_a_file_has_lines_of_the_file() {
        let text = "-- SPDX\n--[==[ pack\nsummary = \"x\"\ncolums = []\n]==]\nprint(1)\n";
        let report = Head::parse(text, "x.lua").unwrap_err().report();
        assert!(report.contains("--> x.lua:4:1\n   4 > colums = []"), "{report}");
        assert_eq!(Head::parse("print(1)", "x.lua").unwrap(), None);
    }
}
