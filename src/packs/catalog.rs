// SPDX-License-Identifier: Apache-2.0
//! The commands that packs give, by name: those of the pack that travels in the executable.

use super::embedded;
use super::entry::Entry;
use super::manifest::{Head, Manifest, Pack};
use crate::error::{Error, Result};

/// A command of a pack, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    /// What it is called by.
    pub name: String,
    /// The pack it is of.
    pub pack: Pack,
    /// What it says of itself.
    pub entry: Entry,
    /// Its Lua file, as errors name it.
    pub file: String,
    /// The text of that file.
    pub text: Vec<u8>,
}

/// The tool of that name in the pack `tools`, which is a part of bpflua; none when there is no such tool.
pub fn embedded(name: &str) -> Result<Option<Tool>> {
    let file = format!("{name}.lua");
    let Some(text) = embedded::tool(&file) else { return Ok(None) };
    let pack = embedded_pack()?;
    let head = Head::parse(&String::from_utf8_lossy(&text), &file)?;
    let entry = head.ok_or_else(|| Error::bug(format!("cannot run `{name}`"), "it has no head"))?.entry;
    Ok(Some(Tool { name: name.to_owned(), pack, entry, file, text: text.into_owned() }))
}

/// The names of all tools that are a part of bpflua, sorted.
pub fn embedded_names() -> Vec<String> {
    let mut names: Vec<_> = embedded::tools().filter_map(|file| file.strip_suffix(".lua").map(str::to_owned)).collect();
    names.sort();
    names
}

fn embedded_pack() -> Result<Pack> {
    let text = embedded::tool("pack.toml").unwrap_or_default();
    Ok(Manifest::parse(&String::from_utf8_lossy(&text), "scripts/tools/pack.toml")?.pack)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_says_what_it_takes() {
        let names = embedded_names();
        assert!(names.contains(&"execsnoop".to_owned()), "{names:?}");
        for name in names {
            let tool = embedded(&name).unwrap().unwrap();
            assert!(!tool.entry.summary.is_empty(), "{name}");
            assert!(tool.entry.parameters.iter().all(|parameter| !parameter.help.is_empty()), "{name}");
        }
        assert_eq!(embedded("no_such_tool").unwrap(), None);
    }
}
