// SPDX-License-Identifier: Apache-2.0
//! The commands that packs give, by name: those of the pack that travels in the executable, and those of installed packs.

use std::path::{Path, PathBuf};

use super::built::Built;
use super::contents::{Command, Contents};
use super::embedded;
use super::entry::Entry;
use super::installed::{self, Installed, Place};
use super::limits::Limits;
use super::manifest::{Head, Manifest, Pack};
use super::open::{self, Opened};
use super::tree::Tree;
use crate::error::{Error, Result};

/// The name of the pack that is a part of bpflua.
pub const EMBEDDED: &str = "tools";

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
    /// Where that file is; none for a part of bpflua.
    pub path: Option<PathBuf>,
    /// The packs that `require` finds by name: its own and those that it needs, with their folders.
    pub packs: Vec<(String, PathBuf)>,
    /// Its objects that were compiled before.
    pub built: Option<Built>,
}

/// Where packs are looked for, and for whom.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// The folders of packs.
    pub places: Vec<Place>,
    /// The effective user.
    pub uid: u32,
    /// How much a pack may hold.
    pub limits: Limits,
}

impl Catalog {
    /// The tool that is called by a word: a part of bpflua, or of an installed pack. Two packs with a tool of one name are an
    /// error that tells how each is called; none when there is no such tool.
    pub fn tool(&self, name: &str) -> Result<Option<Tool>> {
        let embedded = embedded(name)?;
        let packs = self.packs_with(name)?;
        match (embedded, packs.as_slice()) {
            (Some(tool), []) => Ok(Some(tool)),
            (None, []) => Ok(None),
            (None, [pack]) => self.tool_of(&pack.name, name).map(Some),
            (embedded, packs) => {
                let names = embedded.iter().map(|_| EMBEDDED).chain(packs.iter().map(|pack| pack.name.as_str()));
                let ways: Vec<String> = names.map(|pack| format!("`bpflua run {pack}/{name}`")).collect();
                let why = format!("{} packs have a tool of that name", ways.len());
                Err(ways.iter().fold(Error::script(format!("cannot run `{name}`"), why), |error, way| {
                    error.with_hint(way.clone())
                }))
            }
        }
    }

    /// The tool of a pack: one that is a part of bpflua, or an installed one.
    pub fn tool_of(&self, pack: &str, name: &str) -> Result<Tool> {
        if pack == EMBEDDED {
            return embedded(name)?.ok_or_else(|| no_tool(pack, name, &embedded_names()));
        }
        match open::installed(&self.places, pack, self.uid, &self.limits)? {
            Some(opened) => of_opened(&opened, name),
            None => Err(self.no_pack(pack)),
        }
    }

    /// As [`Catalog::tool_in`], to run it: the machine's policy has its say.
    pub fn tool_to_run_in(&self, path: &Path, name: Option<&str>) -> Result<Tool> {
        let opened = open::folder(path, &self.places, self.uid, &self.limits)?;
        open::permitted(&opened.tree, &opened.folder)?;
        choose(&opened, path, name)
    }

    /// The tool of a folder, or of a Lua file, that somebody is working on; without a name its only one.
    pub fn tool_in(&self, path: &Path, name: Option<&str>) -> Result<Tool> {
        choose(&open::folder(path, &self.places, self.uid, &self.limits)?, path, name)
    }

    /// The error for a pack that is not installed.
    pub fn no_pack(&self, name: &str) -> Error {
        let error = Error::script(format!("cannot find the pack `{name}`"), "it is not installed");
        let places: Vec<_> = self.places.iter().map(|place| place.folder.display().to_string()).collect();
        let looked = if places.is_empty() {
            "there is no folder of packs".to_owned()
        } else {
            format!("looked in: {}", places.join(", "))
        };
        let error = error.with_evidence(looked);
        match self.all() {
            Ok(all) if !all.is_empty() => {
                let names: Vec<_> = all.iter().map(|pack| pack.name.as_str()).collect();
                error.with_hint(format!("installed are: {}", names.join(", ")))
            }
            _ => error,
        }
    }

    /// All installed packs.
    pub fn all(&self) -> Result<Vec<Installed>> {
        installed::all(&self.places)
    }

    /// The installed packs that have a tool of that name.
    fn packs_with(&self, tool: &str) -> Result<Vec<Installed>> {
        let all = self.all()?;
        Ok(all.into_iter().filter(|pack| self.tools_of(pack).iter().any(|name| name == tool)).collect())
    }

    /// The names of the tools of an installed pack, as it was when it was installed.
    pub fn tools_of(&self, pack: &Installed) -> Vec<String> {
        if let Some(record) = &pack.record {
            return record.tools.clone();
        }
        // A folder that somebody put there; one without a manifest has no tools.
        let contents = open::of_installed(pack, &self.limits).map(|fetched| fetched.contents);
        contents
            .map_or_else(|_| Vec::new(), |contents| contents.commands.into_iter().map(|command| command.name).collect())
    }
}

/// The tool of that name in a folder at `path`, or its only one.
fn choose(opened: &Opened, path: &Path, name: Option<&str>) -> Result<Tool> {
    match (name, opened.contents.commands.as_slice()) {
        (Some(name), _) => of_opened(opened, name),
        (None, [only]) => of_opened(opened, &only.name),
        (None, commands) => {
            let names: Vec<_> = commands.iter().map(|command| command.name.as_str()).collect();
            let what = format!("cannot run `{}`", path.display());
            let error = Error::script(what, "it does not have one tool alone");
            Err(error.with_evidence(format!("tools: {}", names.join(", "))))
        }
    }
}

fn of_opened(opened: &Opened, name: &str) -> Result<Tool> {
    let contents = &opened.contents;
    let names = || contents.commands.iter().map(|command| command.name.clone()).collect::<Vec<_>>();
    let command: &Command = contents.command(name).ok_or_else(|| no_tool(contents.name(), name, &names()))?;
    let path = opened.folder.join(&command.file);
    Ok(Tool {
        name: name.to_owned(),
        pack: contents.manifest.pack.clone(),
        entry: Entry { requires: contents.requires_of(command), ..command.entry.clone() },
        file: path.display().to_string(),
        text: opened.text(command),
        path: Some(path),
        packs: opened.roots(),
        built: Built::of_pack(&opened.folder),
    })
}

fn no_tool(pack: &str, name: &str, known: &[String]) -> Error {
    let error =
        Error::script(format!("cannot run `{pack}/{name}`"), format!("the pack `{pack}` has no tool of that name"));
    if known.is_empty() {
        error.with_hint(format!("`{pack}` has no tools; scripts `require` it"))
    } else {
        error.with_hint(format!("its tools: {}", known.join(", ")))
    }
}

/// The tool of that name in the pack `tools`, which is a part of bpflua; none when there is no such tool.
pub fn embedded(name: &str) -> Result<Option<Tool>> {
    let file = format!("{name}.lua");
    let Some(text) = embedded::tool(&file) else { return Ok(None) };
    let head = Head::parse(&String::from_utf8_lossy(&text), &file)?;
    let entry = head.ok_or_else(|| Error::bug(format!("cannot run `{name}`"), "it has no head"))?.entry;
    let manifest = embedded::tool("pack.toml").unwrap_or_default();
    let pack = Manifest::parse(&String::from_utf8_lossy(&manifest), "scripts/tools/pack.toml")?.pack;
    Ok(Some(Tool {
        name: name.to_owned(),
        pack,
        entry,
        file,
        text: text.into_owned(),
        path: None,
        packs: Vec::new(),
        built: None,
    }))
}

/// The names of all tools that are a part of bpflua, sorted.
pub fn embedded_names() -> Vec<String> {
    let mut names: Vec<_> = embedded::tools().filter_map(|file| file.strip_suffix(".lua").map(str::to_owned)).collect();
    names.sort();
    names
}

/// What the pack `tools` consists of, and what is wrong with those of its tools whose heads cannot be read.
pub fn embedded_contents() -> Result<(Contents, Vec<Error>)> {
    let mut tree = Tree::default();
    for file in embedded::tools() {
        tree.put(&file, embedded::tool(&file).unwrap_or_default());
    }
    Contents::readable(&tree, "scripts/tools")
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
        let (contents, errors) = embedded_contents().unwrap();
        assert!(contents.name() == EMBEDDED && errors.is_empty(), "{errors:?}");
    }

    /// More than it uses would make of what is declared a thing of no meaning.
    #[test]
    fn no_tool_declares_what_it_does_not_use() {
        for name in embedded_names() {
            let tool = embedded(&name).unwrap().unwrap();
            let text = String::from_utf8(tool.text).unwrap();
            let (_, code) = text.split_once("\n]==]\n").unwrap();
            for library in tool.entry.requires.lua {
                assert!(code.contains(&library), "{name} does not use `{library}`");
            }
        }
    }
}
