// SPDX-License-Identifier: Apache-2.0
//! The packs that there are to choose from: what is installed, what a lock file names, what lies beside the pack that needs
//! another, what a manifest or the command line says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use semver::{Version, VersionReq};

use super::archive::ENDING;
use super::catalog;
use super::fetched::{Fetched, fetch, versions};
use super::installed::Installed;
use super::limits::Limits;
use super::open::of_installed;
use super::record::Locked;
use super::resolve::{Need, Offers};
use super::source::Source;
use crate::error::{Error, Result};

/// Where a version of a pack is.
#[derive(Clone, Debug)]
enum Origin {
    /// A part of bpflua.
    Embedded,
    /// Installed already.
    Installed,
    /// To be fetched.
    Source {
        /// From here: with the tag or commit of the version.
        at: Source,
        /// Where newer ones will be looked for.
        of: Source,
    },
}

impl Origin {
    /// A source that is one pack.
    fn one(source: &Source) -> Origin {
        Origin::Source { at: source.clone(), of: source.clone() }
    }
}

#[derive(Clone, Debug)]
struct Offer {
    version: Version,
    origin: Origin,
    fetched: Option<Rc<Fetched>>,
}

/// What was chosen of a pack.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// A part of bpflua.
    Embedded,
    /// Installed already, and stays.
    Installed(Rc<Fetched>),
    /// To be installed.
    New(Rc<Fetched>),
}

/// The packs to choose from, looked for as they are needed.
#[derive(Debug, Default)]
pub struct Shelf {
    /// How much a pack may hold.
    pub limits: Limits,
    /// What is installed.
    pub installed: Vec<Installed>,
    /// Folders and registries in which others are looked for by their names.
    pub from: Vec<Source>,
    /// What a lock file says: these versions are taken before newer ones, and with that content only.
    pub locked: BTreeMap<String, Locked>,
    /// Whether newer versions are looked for, though an installed one will do.
    pub fresh: bool,
    /// Whether everything is looked for at once: what is installed may be of no use.
    pub eager: bool,
    /// Whether nothing is looked for beyond what was asked for and what is installed.
    pub offline: bool,
    offers: BTreeMap<String, Vec<Offer>>,
    looked: BTreeMap<String, BTreeSet<String>>,
    /// Packs that come from where the user says, and from nowhere else.
    settled: BTreeSet<String>,
}

impl Shelf {
    /// Adds what a user asked for by its source; gives the pack that it is.
    pub fn add_wish(&mut self, source: &Source, admits: Option<&VersionReq>) -> Result<Rc<Fetched>> {
        let listed = versions(source)?;
        let Some(listed) = listed else {
            let packs: Vec<_> = fetch(source, &self.limits)?.into_iter().map(Rc::new).collect();
            packs.iter().for_each(|pack| {
                self.offer(Origin::one(source), pack.version().clone(), pack.name(), Some(Rc::clone(pack)));
            });
            let first = packs.into_iter().next();
            let first =
                first.ok_or_else(|| Error::script(format!("cannot install from `{source}`"), "there is no pack"))?;
            self.settled.insert(first.name().to_owned());
            return Ok(first);
        };
        let is_wanted = |version: &Version| match admits {
            Some(versions) => versions.matches(version),
            None => version.pre.is_empty() || listed.iter().all(|(version, _)| !version.pre.is_empty()),
        };
        let Some((version, at)) = listed.iter().find(|(version, _)| is_wanted(version)) else {
            let all: Vec<_> = listed.iter().map(|(version, _)| version.to_string()).collect();
            let wanted = admits.map(VersionReq::to_string).unwrap_or_default();
            return Err(Error::script(
                format!("cannot install from `{source}`"),
                format!("no version there is {wanted}"),
            )
            .with_evidence(format!("there is: {}", all.join(", "))));
        };
        let pack = Rc::new(self.fetch_version(at, source, None, version)?);
        for (version, at) in listed.iter().filter(|(version, _)| is_wanted(version)) {
            let fetched = (version == pack.version()).then(|| Rc::clone(&pack));
            let origin = Origin::Source { at: at.clone(), of: source.clone() };
            self.offer(origin, version.clone(), pack.name(), fetched);
        }
        self.settled.insert(pack.name().to_owned());
        Ok(pack)
    }

    /// What is chosen, once it was decided.
    pub fn take(&mut self, name: &str, version: &Version) -> Result<Chosen> {
        let fetched = self.fetched(name, version)?;
        let origin = self.find(name, version).map(|offer| &offer.origin);
        Ok(match (origin, fetched) {
            (Some(Origin::Installed), Some(fetched)) => Chosen::Installed(fetched),
            (Some(Origin::Source { .. }), Some(fetched)) => Chosen::New(fetched),
            _ => Chosen::Embedded,
        })
    }

    /// The needs of the packs that are installed, but for these.
    pub fn standing(&self, but: &[String]) -> Result<Vec<Need>> {
        let mut needs = Vec::new();
        for installed in self.installed.iter().filter(|installed| !but.contains(&installed.name)) {
            // A folder without a manifest has no needs that could be read.
            if let Ok(fetched) = of_installed(installed, &self.limits) {
                needs.extend(needs_of(&fetched, " (installed)")?);
            }
        }
        Ok(needs)
    }

    fn offer(&mut self, origin: Origin, version: Version, name: &str, fetched: Option<Rc<Fetched>>) {
        let offers = self.offers.entry(name.to_owned()).or_default();
        if !offers.iter().any(|offer| offer.version == version) {
            offers.push(Offer { version, origin, fetched });
        }
    }

    fn find(&self, name: &str, version: &Version) -> Option<&Offer> {
        self.offers.get(name)?.iter().find(|offer| offer.version == *version)
    }

    fn fetched(&mut self, name: &str, version: &Version) -> Result<Option<Rc<Fetched>>> {
        let Some(offer) = self.find(name, version).cloned() else { return Ok(None) };
        if let Some(fetched) = offer.fetched {
            return self.as_locked(fetched).map(Some);
        }
        let Origin::Source { at, of } = &offer.origin else { return Ok(None) };
        let fetched = Rc::new(self.fetch_version(at, of, Some(name), version)?);
        let offers = self.offers.entry(name.to_owned()).or_default();
        offers
            .iter_mut()
            .filter(|offer| offer.version == *version)
            .for_each(|offer| offer.fetched = Some(Rc::clone(&fetched)));
        self.as_locked(fetched).map(Some)
    }

    /// Fetches a version by its tag, and looks whether the manifest agrees. It counts as from `of`.
    fn fetch_version(&self, source: &Source, of: &Source, name: Option<&str>, version: &Version) -> Result<Fetched> {
        let packs = fetch(source, &self.limits)?;
        let first = packs.into_iter().find(|pack| name.is_none_or(|name| pack.name() == name));
        match first {
            Some(pack) if pack.version() == version => Ok(Fetched { source: of.clone().absolute(), ..pack }),
            Some(pack) => Err(Error::script(
                format!("cannot use `{source}`"),
                format!("its manifest says version {}", pack.version()),
            )),
            None => Err(Error::script(
                format!("cannot use `{source}`"),
                format!("it is not the pack `{}`", name.unwrap_or_default()),
            )),
        }
    }

    /// Refuses content that is not the one that a lock file has for this version.
    fn as_locked(&self, fetched: Rc<Fetched>) -> Result<Rc<Fetched>> {
        let locked = self.locked.get(fetched.name()).filter(|locked| locked.version == fetched.version().to_string());
        match locked.filter(|locked| locked.digest != fetched.digest) {
            None => Ok(fetched),
            Some(locked) => Err(Error::script(
                format!("cannot use `{}` {} from `{}`", fetched.name(), fetched.version(), fetched.source),
                "its files are not those that the lock file has for this version",
            )
            .with_evidence(format!("the lock file: {}", locked.digest))
            .with_evidence(format!("the files:     {}", fetched.digest))),
        }
    }

    /// Looks for versions wherever they may be. What only may be there and is not is no error.
    fn look(&mut self, need: &Need) -> Result<()> {
        if self.offline {
            return Ok(());
        }
        let name = need.name.as_str();
        if let Some(locked) = self.locked.get(name).cloned() {
            let source = Source::parse(&locked.source)?;
            let pinned = locked.pin.as_deref().map_or_else(|| source.clone(), |pin| source.at(pin));
            if let Ok(version) = Version::parse(&locked.version) {
                self.offer(Origin::Source { at: pinned, of: source }, version, name, None);
            }
        }
        if let Some(source) = &need.source {
            self.look_at(name, source)?;
        }
        let guesses = need.beside.iter().flat_map(|source| beside(source, name));
        let given = self.from.iter().flat_map(|source| within(source, name));
        let came_from = self.installed.iter().filter(|installed| installed.name == name);
        let came_from = came_from.filter_map(|installed| Source::parse(&installed.record.as_ref()?.source).ok());
        let guesses: Vec<Source> = guesses.chain(given).chain(came_from).collect();
        for source in guesses {
            // Where it is not, or is something else, others are asked.
            if let Err(error) = self.look_at(name, &source) {
                let looked = self.looked.entry(name.to_owned()).or_default();
                looked.remove(&source.to_string());
                looked.insert(format!("{source} ({})", error.why()));
            }
        }
        Ok(())
    }

    fn look_at(&mut self, name: &str, source: &Source) -> Result<()> {
        if !self.looked.entry(name.to_owned()).or_default().insert(source.to_string()) {
            return Ok(());
        }
        if let Some(listed) = versions(source)? {
            for (version, at) in listed {
                self.offer(Origin::Source { at, of: source.clone() }, version, name, None);
            }
            return Ok(());
        }
        for pack in fetch(source, &self.limits)?.into_iter().map(Rc::new) {
            if pack.name() == name {
                self.offer(Origin::one(source), pack.version().clone(), name, Some(pack));
            }
        }
        Ok(())
    }

    fn add_installed(&mut self, name: &str) -> Result<()> {
        if name == catalog::EMBEDDED {
            let version = catalog::embedded_contents()?.0.version;
            self.offer(Origin::Embedded, version, name, None);
        }
        if let Some(installed) = self.installed.iter().find(|installed| installed.name == name) {
            let fetched = Rc::new(of_installed(installed, &self.limits)?);
            self.offer(Origin::Installed, fetched.version().clone(), name, Some(fetched));
        }
        Ok(())
    }
}

impl Offers for Shelf {
    fn versions(&mut self, need: &Need) -> Result<Vec<Version>> {
        let name = &need.name;
        if !self.settled.contains(name) {
            if !self.fresh {
                self.add_installed(name)?;
            }
            let has_one =
                self.offers.get(name).is_some_and(|offers| offers.iter().any(|offer| need.admits(&offer.version)));
            if self.fresh || self.eager || !has_one {
                self.look(need)?;
            }
            self.add_installed(name)?;
        }
        let mut versions: Vec<_> =
            self.offers.get(name).into_iter().flatten().map(|offer| offer.version.clone()).collect();
        let locked = self.locked.get(name).map(|locked| locked.version.clone());
        let is_installed = |version: &Version| {
            !self.fresh && self.find(name, version).is_some_and(|offer| matches!(offer.origin, Origin::Installed))
        };
        let rank = |version: &Version| (Some(version.to_string()) != locked, !is_installed(version));
        versions.sort_by(|one, other| rank(one).cmp(&rank(other)).then(other.cmp(one)));
        Ok(versions)
    }

    fn needs(&mut self, name: &str, version: &Version) -> Result<Vec<Need>> {
        let fetched = self.fetched(name, version)?;
        fetched.map_or_else(|| Ok(Vec::new()), |fetched| needs_of(&fetched, ""))
    }

    fn looked(&self, name: &str) -> Vec<String> {
        self.looked.get(name).into_iter().flatten().cloned().collect()
    }
}

/// What a pack needs.
fn needs_of(fetched: &Fetched, note: &str) -> Result<Vec<Need>> {
    let needs = fetched.contents.manifest.dependencies.iter().map(|(name, dependency)| {
        let versions = VersionReq::parse(dependency.versions());
        let versions =
            versions.map_err(|error| Error::bug("cannot read the versions of a dependency", error.to_string()))?;
        let source = dependency.source().map(|text| relative(text, &fetched.source)).transpose()?;
        Ok(Need {
            name: name.clone(),
            versions: Some(versions),
            by: format!("`{}` {}{note}", fetched.name(), fetched.version()),
            source,
            beside: Some(match &fetched.pin {
                Some(pin) if matches!(fetched.source, Source::Git { .. }) => fetched.source.at(pin),
                _ => fetched.source.clone(),
            }),
        })
    });
    needs.collect()
}

/// A source that a manifest names: paths are from the folder of the pack.
fn relative(text: &str, of: &Source) -> Result<Source> {
    let source = Source::parse(text)?;
    let base = match of {
        Source::Folder(path) => path.clone(),
        Source::Script(path) | Source::Archive(path) => path.parent().map(Path::to_owned).unwrap_or_default(),
        _ => PathBuf::new(),
    };
    Ok(match source {
        Source::Folder(path) => Source::Folder(base.join(path)),
        Source::Script(path) => Source::Script(base.join(path)),
        Source::Archive(path) => Source::Archive(base.join(path)),
        other => other,
    })
}

/// Where a pack may be that is only known by its name, beside another one: a folder, or archives of its versions.
fn beside(source: &Source, name: &str) -> Vec<Source> {
    let mut found: Vec<Source> = source.beside(name).into_iter().collect();
    if let Some(Source::Folder(folder)) = found.first().cloned() {
        found = folder.parent().map(|parent| within(&Source::Folder(parent.to_owned()), name)).unwrap_or_default();
    }
    found
}

/// Where a pack may be in a folder of packs, or below a path of a registry.
fn within(source: &Source, name: &str) -> Vec<Source> {
    match source {
        Source::Folder(folder) => {
            let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let names = files.filter_map(|file| file.file_name().into_string().ok());
            let is_its = |file: &String| {
                let version = file.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')?.strip_suffix(ENDING));
                version.is_some_and(|version| Version::parse(version).is_ok()) || *file == format!("{name}{ENDING}")
            };
            let archives = names.filter(is_its).map(|file| Source::Archive(folder.join(file)));
            let script = Some(folder.join(format!("{name}.lua"))).filter(|own| own.is_file()).map(Source::Script);
            // The folder is told of even when it is not there: this is where one would put it.
            std::iter::once(Source::Folder(folder.join(name))).chain(script).chain(archives).collect()
        }
        Source::Registry { repository, .. } => {
            vec![Source::Registry { repository: format!("{repository}/{name}"), reference: None }]
        }
        other => vec![other.clone()],
    }
}
