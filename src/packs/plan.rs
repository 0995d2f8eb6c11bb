// SPDX-License-Identifier: Apache-2.0
//! What is to be installed so that what was asked for works: the packs themselves and those that they need, each at one version.

use std::collections::BTreeMap;
use std::rc::Rc;

use semver::VersionReq;

use super::catalog;
use super::fetched::Fetched;
use super::install::Planned;
use super::installed::Installed;
use super::limits::Limits;
use super::record::{Lock, Locked};
use super::resolve::{Need, resolve};
use super::shelf::{Chosen, Shelf};
use super::source::Source;
use crate::error::{Error, Result};

/// A pack that somebody asks for.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Where it is.
    pub source: Source,
    /// The versions that will do; none: the newest that is no pre-release.
    pub versions: Option<VersionReq>,
}

/// What is asked for, and how it is looked for.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// The packs.
    pub wishes: Vec<Wish>,
    /// Folders and registries in which their dependencies are looked for.
    pub from: Vec<Source>,
    /// Whether newer versions of dependencies are looked for, though installed ones will do.
    pub fresh: bool,
    /// Whether nothing is looked for beyond what the wishes bring and what is installed.
    pub offline: bool,
    /// Whether the lock files of the packs hold; not when they are about to be written.
    pub heed_locks: bool,
}

/// What is to be done.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What was asked for, as it was found.
    pub roots: Vec<Rc<Fetched>>,
    /// What is to be installed, dependencies first.
    pub new: Vec<Planned>,
    /// What is installed and stays.
    pub kept: Vec<Rc<Fetched>>,
}

impl Plan {
    /// All that the roots need and they themselves, the roots first.
    pub fn all(&self) -> Vec<&Fetched> {
        let roots = self.roots.iter().map(Rc::as_ref);
        let is_root = |pack: &Fetched| self.roots.iter().any(|root| root.name() == pack.name());
        let others = self.new.iter().map(|planned| planned.pack.as_ref()).chain(self.kept.iter().map(Rc::as_ref));
        roots.chain(others.filter(|pack| !is_root(pack))).collect()
    }
}

/// Decides what is to be installed.
pub fn plan(ask: &Ask, installed: &[Installed], limits: &Limits) -> Result<Plan> {
    let mut shelf = shelf(ask, installed, limits);
    let mut first = Vec::new();
    let mut roots = Vec::new();
    for wish in &ask.wishes {
        let root = shelf.add_wish(&wish.source, wish.versions.as_ref())?;
        refuse_embedded(&root)?;
        if ask.heed_locks {
            add_locked(&mut shelf.locked, root.lock()?);
        }
        let (name, versions) = (root.name().to_owned(), wish.versions.clone());
        first.push(Need {
            name: name.clone(),
            versions,
            by: "the command line".to_owned(),
            source: None,
            beside: None,
        });
        roots.push(root);
    }
    let names: Vec<String> = roots.iter().map(|root| root.name().to_owned()).collect();
    let standing = shelf.standing(&names)?;
    let (chosen, shelf) = match resolve(first.clone(), &standing, &mut shelf) {
        Ok(chosen) => (chosen, shelf),
        Err(error) if shelf.fresh => return Err(error),
        // What is installed was taken where it would do for one; another may need a newer one.
        Err(_) => {
            shelf.eager = true;
            (resolve(first, &standing, &mut shelf)?, shelf)
        }
    };
    arrange(ask, &chosen, shelf, &names)
}

fn shelf(ask: &Ask, installed: &[Installed], limits: &Limits) -> Shelf {
    let mut shelf = Shelf::default();
    shelf.limits = *limits;
    shelf.installed = installed.to_vec();
    shelf.from.clone_from(&ask.from);
    shelf.fresh = ask.fresh;
    shelf.offline = ask.offline;
    shelf
}

fn add_locked(locked: &mut BTreeMap<String, Locked>, lock: Lock) {
    for (name, one) in lock.packs {
        locked.entry(name).or_insert(one);
    }
}

fn refuse_embedded(pack: &Fetched) -> Result<()> {
    if pack.name() == catalog::EMBEDDED {
        let what = format!("cannot install the pack `{}`", pack.name());
        return Err(Error::script(what, "the pack of that name is a part of bpflua")
            .with_hint("give it another name in its manifest"));
    }
    Ok(())
}

/// What was chosen, as things to do, dependencies before those that need them.
fn arrange(ask: &Ask, chosen: &BTreeMap<String, semver::Version>, mut shelf: Shelf, roots: &[String]) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut new: BTreeMap<String, Planned> = BTreeMap::new();
    for (name, version) in chosen {
        match shelf.take(name, version)? {
            Chosen::Embedded => {}
            Chosen::Installed(pack) => plan.kept.push(pack),
            Chosen::New(pack) => {
                let wish = roots.iter().position(|root| root == name).and_then(|at| ask.wishes.get(at));
                let before = shelf
                    .installed
                    .iter()
                    .find(|installed| installed.name == *name)
                    .and_then(|installed| installed.record.as_ref());
                let versions = wish.map(|wish| wish.versions.as_ref().map(VersionReq::to_string));
                let requested = wish.is_some() || before.is_some_and(|record| record.requested);
                let versions = versions.unwrap_or_else(|| before.and_then(|record| record.versions.clone()));
                new.insert(name.clone(), Planned { pack, requested, versions });
            }
        }
    }
    for name in roots {
        plan.roots.extend(new.get(name).map(|planned| Rc::clone(&planned.pack)));
        in_order(name, &mut new, &mut plan.new);
    }
    plan.new.extend(new.into_values());
    Ok(plan)
}

fn in_order(name: &str, rest: &mut BTreeMap<String, Planned>, done: &mut Vec<Planned>) {
    let Some(planned) = rest.remove(name) else { return };
    let needs: Vec<String> = planned.pack.contents.manifest.dependencies.keys().cloned().collect();
    needs.iter().for_each(|need| in_order(need, rest, done));
    done.push(planned);
}

/// What an update would change: of what was planned, that which differs from what is installed. A version that has other
/// files than before is refused unless its source is on this machine.
pub fn changes(plan: &Plan, installed: &[Installed]) -> Result<Vec<Planned>> {
    let mut changes = Vec::new();
    for planned in &plan.new {
        let before = installed.iter().find(|installed| installed.name == planned.pack.name());
        let Some(record) = before.and_then(|installed| installed.record.as_ref()) else {
            changes.push(planned.clone());
            continue;
        };
        if record.digest == planned.pack.digest {
            continue;
        }
        if record.version == planned.pack.version().to_string() && !planned.pack.source.is_local() {
            let pack = &planned.pack;
            return Err(Error::script(
                format!("cannot update `{}` from `{}`", pack.name(), pack.source),
                format!(
                    "version {} there has other files than the {} that was installed",
                    pack.version(),
                    record.version
                ),
            )
            .with_evidence(format!("installed: {}", record.digest))
            .with_evidence(format!("there:     {}", pack.digest))
            .with_hint(
                "a version is never changed by its authors without a new number; ask them before you trust it",
            ));
        }
        changes.push(planned.clone());
    }
    Ok(changes)
}

/// The lock file of a pack: what was chosen for what it needs.
pub fn lock_of(plan: &Plan) -> Lock {
    let roots: Vec<&str> = plan.roots.iter().map(|root| root.name()).collect();
    let others = plan.all().into_iter().filter(|pack| !roots.contains(&pack.name()));
    Lock { packs: others.map(|pack| (pack.name().to_owned(), pack.locked())).collect(), ..Lock::default() }
}
