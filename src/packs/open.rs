// SPDX-License-Identifier: Apache-2.0
//! Packs made ready to run: found by their names or in a folder, their files compared with what was installed, their
//! dependencies found and compared, too.

use std::path::{Path, PathBuf};

use semver::VersionReq;

use super::catalog;
use super::contents::{Command, Contents};
use super::disk;
use super::fetched::Fetched;
use super::installed::{self, Installed, Place};
use super::limits::Limits;
use super::policy::Policy;
use super::record::Record;
use super::source::Source;
use super::tree::Tree;
use super::trust::Asked;
use crate::error::{Error, Result};

/// A pack that may run: its files are those that were installed.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Its folder.
    pub folder: PathBuf,
    /// What was noted when it was installed; none for a folder that somebody is working on.
    pub record: Option<Record>,
    /// Its files as they were compared.
    pub tree: Tree,
    /// What it consists of.
    pub contents: Contents,
    /// The packs that it and those need, by name.
    pub dependencies: Vec<(String, PathBuf)>,
}

impl Opened {
    /// The text of a command's Lua file, out of what was compared.
    pub fn text(&self, command: &Command) -> Vec<u8> {
        self.tree.bytes(&command.file).unwrap_or_default().to_vec()
    }

    /// Its name and folder, and those of the packs that it needs: what `require` finds by name.
    pub fn roots(&self) -> Vec<(String, PathBuf)> {
        let own = (self.contents.name().to_owned(), self.folder.clone());
        std::iter::once(own).chain(self.dependencies.iter().cloned()).collect()
    }
}

/// Opens an installed pack for running. This is the one way from an installed pack to something that runs: what may not run is
/// refused here.
pub fn installed(places: &[Place], name: &str, uid: u32, limits: &Limits) -> Result<Option<Opened>> {
    let Some(found) = installed::find(places, name)? else { return Ok(None) };
    let (tree, contents) = verified(&found, uid, limits)?;
    let dependencies = dependencies(&contents, None, places, uid, limits)?;
    Ok(Some(Opened { folder: found.folder, record: found.record, tree, contents, dependencies }))
}

/// Opens the folder, or the Lua file, of a pack that somebody is working on.
pub fn folder(path: &Path, places: &[Place], uid: u32, limits: &Limits) -> Result<Opened> {
    let source = if path.is_file() { Source::Script(path.to_owned()) } else { Source::Folder(path.to_owned()) };
    let fetched = super::fetched::fetch(&source, limits)?.into_iter().next();
    let Some(Fetched { tree, contents, .. }) = fetched else {
        return Err(Error::bug(format!("cannot open `{source}`"), "nothing was read"));
    };
    let folder = if path.is_file() { path.parent().map(Path::to_owned).unwrap_or_default() } else { path.to_owned() };
    let beside = folder.canonicalize().ok().and_then(|folder| folder.parent().map(Path::to_owned));
    let dependencies = dependencies(&contents, beside.as_deref(), places, uid, limits)?;
    Ok(Opened { folder, record: None, tree, contents, dependencies })
}

/// Compares an installed pack's files with what was installed; refuses those that others could change.
fn verified(found: &Installed, uid: u32, limits: &Limits) -> Result<(Tree, Contents)> {
    installed::guard(&found.name, &found.folder, uid)?;
    let tree = disk::read(&found.folder, limits)?;
    if let Some(record) = &found.record {
        same(&tree, record, &found.name)?;
    }
    let contents = Contents::of(&tree, &found.folder.display().to_string())?;
    if contents.name() != found.name {
        let why = format!("its manifest says that it is `{}`", contents.name());
        return Err(Error::script(format!("cannot use the pack `{}`", found.name), why));
    }
    permitted(&tree, &found.folder)?;
    Ok((tree, contents))
}

/// Fails when the machine's policy does not permit a pack to run. What the command line allowed when it was installed was
/// remote then; what the policy says holds for good.
pub(super) fn permitted(tree: &Tree, folder: &Path) -> Result<()> {
    let local = Fetched::new(tree.clone(), Source::Folder(folder.to_owned()), None)?;
    local.decide(&Asked::default(), &Policy::of_machine()?).map(drop)
}

fn same(tree: &Tree, record: &Record, name: &str) -> Result<()> {
    let digest = tree.digest();
    if digest == record.digest {
        return Ok(());
    }
    let mut error = Error::script(
        format!("cannot use the pack `{name}`"),
        format!("its files are not those that were installed ({})", record.version),
    );
    let differences = tree.differences(&record.listing);
    for difference in differences.iter().take(5) {
        error = error.with_evidence(difference.clone());
    }
    if differences.len() > 5 {
        error = error.with_evidence(format!("and {} more", differences.len() - 5));
    }
    Err(error.with_hint(format!("`bpflua pack install {}` installs it anew", record.source)))
}

/// Compares the files of one installed folder with what was installed there, when bpflua did that: for a `require` that finds it.
pub fn verify(place: &Place, name: &str, uid: u32, limits: &Limits) -> Result<()> {
    let folder = place.folder.join(name);
    let Some(record) = Record::read(&folder)? else { return Ok(()) };
    installed::guard(name, &folder, uid)?;
    let tree = disk::read(&folder, limits)?;
    same(&tree, &record, name)?;
    permitted(&tree, &folder)
}

/// Finds and compares what a pack needs, and what those need.
fn dependencies(
    contents: &Contents,
    beside: Option<&Path>,
    places: &[Place],
    uid: u32,
    limits: &Limits,
) -> Result<Vec<(String, PathBuf)>> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    let mut pending = vec![contents.clone()];
    while let Some(of) = pending.pop() {
        for (name, dependency) in &of.manifest.dependencies {
            if name == contents.name() || found.iter().any(|(known, _)| known == name) || name == catalog::EMBEDDED {
                continue;
            }
            let (folder, inside) = dependency_of(name, beside, places, uid, limits, &of)?;
            let versions = VersionReq::parse(dependency.versions()).unwrap_or_default();
            if !versions.matches(&inside.version) {
                let what = format!("cannot use the pack `{}`", of.name());
                let why = format!("it needs `{name}` {versions}, and `{}` has {}", folder.display(), inside.version);
                return Err(Error::script(what, why)
                    .with_hint(format!("`bpflua pack update {}` chooses anew", contents.name())));
            }
            found.push((name.clone(), folder));
            pending.push(inside);
        }
    }
    Ok(found)
}

/// Where a dependency is: beside a pack that somebody is working on, or installed.
fn dependency_of(
    name: &str,
    beside: Option<&Path>,
    places: &[Place],
    uid: u32,
    limits: &Limits,
    of: &Contents,
) -> Result<(PathBuf, Contents)> {
    if let Some(folder) =
        beside.map(|beside| beside.join(name)).filter(|folder| folder.join(super::contents::MANIFEST).is_file())
    {
        let tree = disk::read(&folder, limits)?;
        let contents = Contents::of(&tree, &folder.display().to_string())?;
        return Ok((folder, contents));
    }
    match installed::find(places, name)? {
        Some(found) => verified(&found, uid, limits).map(|(_, contents)| (found.folder, contents)),
        None => Err(Error::script(
            format!("cannot use the pack `{}`", of.name()),
            format!("it needs `{name}`, which is not installed"),
        )
        .with_hint(format!("install `{name}`, or install `{}` anew from where it can be found beside", of.name()))),
    }
}

/// What an installed pack consists of, as far as it can be read, and what is wrong with the rest.
pub fn listed(found: &Installed, limits: &Limits) -> Result<(Contents, Vec<Error>)> {
    Contents::readable(&disk::read(&found.folder, limits)?, &found.folder.display().to_string())
}

/// An installed pack as if it were fetched: with where it came from.
pub fn of_installed(found: &Installed, limits: &Limits) -> Result<Fetched> {
    let tree = disk::read(&found.folder, limits)?;
    let Some(record) = &found.record else {
        return Fetched::new(tree, Source::Folder(found.folder.clone()), None);
    };
    Fetched::new(tree, Source::parse(&record.source)?, record.pin.clone())
}
