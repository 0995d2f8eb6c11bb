// SPDX-License-Identifier: Apache-2.0
//! A pack that was brought here from a source, and checked for form, but is not installed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use semver::Version;

use super::contents::{Contents, MANIFEST};
use super::limits::Limits;
use super::policy::Policy;
use super::record::{LOCK, Lock, Locked, Record};
use super::source::Source;
use super::tree::{SIGNATURE, Tree};
use super::trust::{self, Asked, Candidate, Origin, Signed};
use super::{archive, disk, git, registry};
use crate::error::{Error, Result};

/// A pack with all of its files.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its files.
    pub tree: Tree,
    /// What it consists of.
    pub contents: Contents,
    /// Where it came from, without what it was pinned to.
    pub source: Source,
    /// The commit or digest that the source had.
    pub pin: Option<String>,
    /// The content hash.
    pub digest: String,
}

impl Fetched {
    /// Reads the manifest of a tree that came from a source.
    pub fn new(tree: Tree, source: Source, pin: Option<String>) -> Result<Fetched> {
        let contents = Contents::of(&tree, &source.to_string())?;
        let digest = tree.digest();
        Ok(Fetched { tree, contents, source, pin, digest })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.contents.name()
    }

    /// Its version.
    pub fn version(&self) -> &Version {
        &self.contents.version
    }

    /// What is noted of it when it is installed.
    pub fn record(&self, requested: bool, versions: Option<String>) -> Record {
        Record {
            name: self.name().to_owned(),
            version: self.version().to_string(),
            source: self.source.to_string(),
            pin: self.pin.clone(),
            digest: self.digest.clone(),
            requested,
            versions,
            tools: self.contents.commands.iter().map(|command| command.name.clone()).collect(),
            listing: self.tree.listing(),
            ..Record::default()
        }
    }

    /// Its line in a lock file.
    pub fn locked(&self) -> Locked {
        Locked {
            version: self.version().to_string(),
            source: self.source.to_string(),
            pin: self.pin.clone(),
            digest: self.digest.clone(),
            dependencies: self.contents.manifest.dependencies.keys().cloned().collect(),
        }
    }

    /// Whether it may be used, as far as trust goes; gives who signed it, if a key that is trusted did.
    pub fn decide(&self, asked: &Asked, policy: &Policy) -> Result<Option<Signed>> {
        let origin = if self.source.is_local() { Origin::Local } else { Origin::Remote };
        let listing = self.tree.listing();
        let (version, signature) = (self.version().to_string(), self.tree.text(SIGNATURE));
        let candidate = Candidate {
            name: self.name(),
            version: &version,
            digest: &self.digest,
            listing: &listing,
            signature: signature.as_deref(),
            origin,
        };
        trust::decide(&candidate, asked, policy)
    }

    /// Its own lock file, when it has one.
    pub fn lock(&self) -> Result<Lock> {
        self.tree.bytes(LOCK).map_or_else(|| Ok(Lock::default()), |bytes| Lock::parse(bytes, Path::new(LOCK)))
    }
}

/// Brings what a source names: one pack, or with a bundle the one it was made for first and then all others of it.
pub fn fetch(source: &Source, limits: &Limits) -> Result<Vec<Fetched>> {
    let one = |tree: Tree, pin: Option<String>, source: Source| Ok(vec![Fetched::new(tree, source, pin)?]);
    let source = &source.clone().for_git();
    match source {
        Source::Folder(path) => one(folder(path, limits)?, None, source.clone().absolute()),
        Source::Script(path) => {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            let mut tree = Tree::default();
            tree.put(&name, disk::read_file(path, limits)?);
            one(tree, None, source.clone().absolute())
        }
        Source::Archive(path) => {
            // Packed, it is no larger than its files; one bundle holds several packs.
            let whole = Limits { file_bytes: limits.size_bytes, ..*limits };
            let bytes = disk::read_file(path, &whole)?;
            let tree = archive::unpack(&bytes, &path.display().to_string(), limits)?;
            packs_of(tree, source.clone().absolute())
        }
        Source::Git { url, reference, folder } => {
            let (tree, commit) = git::fetch(url, reference.as_deref(), folder, limits)?;
            one(tree, Some(commit), source.clone().absolute())
        }
        Source::Registry { repository, reference } => {
            let (tree, digest) = registry::pull(repository, reference.as_deref(), limits)?;
            one(tree, Some(digest), source.clone())
        }
    }
}

/// The versions that a source offers when it says none itself, each with the source that has it pinned; none when the source
/// is one pack.
pub fn versions(source: &Source) -> Result<Option<Vec<(Version, Source)>>> {
    let source = &source.clone().for_git();
    let tags = match source {
        Source::Git { url, reference: None, .. } => git::tags(url)?,
        Source::Registry { repository, reference: None } => registry::tags(repository)?,
        _ => return Ok(None),
    };
    let version = |tag: &str| Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok();
    let mut found: Vec<_> = tags.iter().filter_map(|tag| Some((version(tag)?, source.at(tag)))).collect();
    found.sort_by(|one, other| other.0.cmp(&one.0));
    if found.is_empty() && matches!(source, Source::Registry { .. }) {
        return Err(Error::script(format!("cannot install from `{source}`"), "none of its tags is a version")
            .with_evidence(format!("tags: {}", tags.join(", "))));
    }
    Ok((!found.is_empty()).then_some(found))
}

fn folder(path: &Path, limits: &Limits) -> Result<Tree> {
    if path.join(MANIFEST).is_file() || path.is_dir() {
        return disk::read(path, limits);
    }
    let shown = path.display();
    let error = Error::script(format!("cannot read the pack `{shown}`"), "there is no such folder");
    Err(match path.to_str().filter(|text| !text.contains('/')) {
        Some(_) => error.with_hint(
            "sources are folders, `.tar.zst` files, git repositories (`https://….git`) and registries (`oci://…`)",
        ),
        None => error,
    })
}

/// The packs of an archive: one at its top or in its only folder, or those that the lock file of a bundle tells.
fn packs_of(tree: Tree, source: Source) -> Result<Vec<Fetched>> {
    let is_bundle = tree.bytes(MANIFEST).is_none() && tree.bytes(LOCK).is_some();
    if !is_bundle {
        let has_manifest = tree.bytes(MANIFEST).is_some();
        let tree = if has_manifest { tree } else { tree.without_top_folder() };
        return Ok(vec![Fetched::new(tree, source, None)?]);
    }
    let lock = Lock::parse(tree.bytes(LOCK).unwrap_or_default(), &PathBuf::from(format!("{source}/{LOCK}")))?;
    let mut packs = Vec::new();
    for (name, locked) in &lock.packs {
        let own = tree.below(&format!("{name}/"));
        let wrong = |why: String| Error::script(format!("cannot take `{name}` from the bundle `{source}`"), why);
        if own.digest() != locked.digest {
            return Err(wrong("its files are not those that the bundle's lock file tells of".to_owned())
                .with_evidence(format!("the lock file: {}", locked.digest))
                .with_evidence(format!("the files:     {}", own.digest())));
        }
        let from = Source::parse(&locked.source)?;
        let fetched = Fetched::new(own, from, locked.pin.clone())?;
        if fetched.name() != name || fetched.version().to_string() != locked.version {
            return Err(wrong(format!("its manifest says `{}` {}", fetched.name(), fetched.version())));
        }
        packs.push(fetched);
    }
    let is_root = |pack: &Fetched| lock.root.as_deref() == Some(pack.name());
    packs.sort_by_key(|pack| !is_root(pack));
    match packs.first() {
        Some(first) if is_root(first) => Ok(packs),
        _ => Err(Error::script(
            format!("cannot read the bundle `{source}`"),
            "it does not have the pack that it was made for",
        )),
    }
}

/// A bundle: the packs, the first being the one that it is made for, each in a folder of its name, and a lock file.
pub fn bundle(packs: &[&Fetched]) -> Result<Tree> {
    let locked: BTreeMap<_, _> = packs.iter().map(|pack| (pack.name().to_owned(), pack.locked())).collect();
    let lock = Lock { root: packs.first().map(|pack| pack.name().to_owned()), packs: locked, ..Lock::default() };
    let mut tree = Tree::default();
    tree.put(LOCK, lock.text()?);
    for pack in packs {
        for (path, file) in pack.tree.files() {
            tree.add(format!("{}/{path}", pack.name()), file.clone());
        }
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pack(name: &str) -> Fetched {
        let mut tree = Tree::default();
        tree.put(MANIFEST, format!("[pack]\nname = \"{name}\"\nversion = \"1.0.0\"\napi = 1\n"));
        tree.put("init.lua", "return 1");
        Fetched::new(tree, Source::Folder(format!("/p/{name}").into()), None).unwrap()
    }

    #[test]
    fn a_bundle_has_its_packs_and_no_other_content() {
        let (tcp, base) = (pack("tcp"), pack("base"));
        let tree = bundle(&[&tcp, &base]).unwrap();
        let from = Source::Archive("b.tar.zst".into());
        let packs = packs_of(tree.clone(), from.clone()).unwrap();
        assert_eq!(packs.iter().map(Fetched::name).collect::<Vec<_>>(), ["tcp", "base"]);
        assert_eq!(packs[1].source, base.source);
        let mut tampered = tree;
        tampered.put("base/more.lua", "os.execute('x')");
        let error = packs_of(tampered, from).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot take `base` from the bundle `b.tar.zst`: its files are not those that the bundle's lock file tells of"
        );
    }
}
