// SPDX-License-Identifier: Apache-2.0
//! `bpflua pack install`, `uninstall`, `update`, `lock` and `import`.

use std::path::Path;

use semver::VersionReq;

use super::args::{How, Trust};
use super::{catalog, place};
use crate::cli::exit;
use crate::error::{Error, Result};
use crate::packs::catalog::Catalog;
use crate::packs::install::{self, Planned};
use crate::packs::installed::Installed;
use crate::packs::plan::{Ask, Plan, Wish, changes, lock_of, plan};
use crate::packs::policy::Policy;
use crate::packs::record::Lock;
use crate::packs::source::Source;
use crate::packs::trust::{Asked, Key};

/// Installs packs from their sources.
pub fn install(how: &How, versions: Option<&str>, sources: &[String]) -> Result<()> {
    let versions = versions.map(versions_of).transpose()?;
    let wish = |text: &String| Ok(Wish { source: Source::parse(text)?, versions: versions.clone() });
    let wishes = sources.iter().map(wish).collect::<Result<Vec<_>>>()?;
    let ask = Ask { wishes, from: from(&how.from)?, heed_locks: true, ..Ask::default() };
    let catalog = catalog();
    let installed = catalog.all()?;
    let plan = plan(&ask, &installed, &catalog.limits)?;
    decide(&how.trust, &plan.new)?;
    carry_out(how, &plan.new, &catalog, &installed)?;
    plan.kept.iter().for_each(|pack| exit::print(&format!("kept {} {}\n", pack.name(), pack.version())));
    Ok(())
}

/// Installs a bundle from nothing but itself.
pub fn import(system: bool, trust: &Trust, file: &Path) -> Result<()> {
    let catalog = catalog();
    let installed = catalog.all()?;
    let ask = Ask {
        wishes: vec![Wish { source: Source::Archive(file.to_owned()), versions: None }],
        offline: true,
        ..Ask::default()
    };
    let plan = plan(&ask, &installed, &catalog.limits)?;
    decide(trust, &plan.new)?;
    let how = How { system, ..How::default() };
    carry_out(&how, &plan.new, &catalog, &installed)?;
    plan.kept.iter().for_each(|pack| exit::print(&format!("kept {} {}\n", pack.name(), pack.version())));
    Ok(())
}

fn versions_of(text: &str) -> Result<VersionReq> {
    VersionReq::parse(text).map_err(|error| {
        Error::script(format!("cannot take versions `{text}`"), error.to_string())
            .with_hint("such as ^1.2, =1.2.3, \">=1.0, <3\"")
    })
}

fn from(texts: &[String]) -> Result<Vec<Source>> {
    texts.iter().map(|text| Source::parse(text)).collect()
}

/// Refuses what nobody vouches for, as the policy of the machine and the command line say.
fn decide(trust: &Trust, planned: &[Planned]) -> Result<()> {
    let keys = trust.key.iter().map(|key| Key::read(key)).collect::<Result<_>>()?;
    let asked = Asked { keys, allow_unsigned: trust.allow_unsigned };
    let policy = Policy::of_machine()?;
    for one in planned {
        if let Some(signed) = one.pack.decide(&asked, &policy)? {
            exit::print(&format!("signed {} by {}\n", one.pack.name(), signed.key));
        }
    }
    Ok(())
}

/// Installs what was planned, and tells of each.
fn carry_out(how: &How, planned: &[Planned], catalog: &Catalog, installed: &[Installed]) -> Result<()> {
    let place = place(how.system)?;
    if !how.dry_run && !planned.is_empty() {
        install::install(&place, planned, catalog.uid)?;
    }
    for one in planned {
        exit::print(&line(how.dry_run, one, installed));
    }
    if !how.dry_run && !planned.is_empty() {
        tell_tools(planned, catalog)?;
    }
    Ok(())
}

/// `installed tcp 1.0.0 from …`, with the version before when there was one.
fn line(is_dry: bool, planned: &Planned, installed: &[Installed]) -> String {
    let pack = &planned.pack;
    let before = installed.iter().find(|known| known.name == pack.name()).and_then(|known| known.record.as_ref());
    let verb = if is_dry { "would install" } else { "installed" };
    let pin = pack.pin.as_deref().map(|pin| format!(" at {pin}")).unwrap_or_default();
    let was = before.map(|record| format!(" (was {})", record.version)).unwrap_or_default();
    format!("{verb} {} {}{was} from {}{pin}\n  {}\n", pack.name(), pack.version(), pack.source, pack.digest)
}

/// How the tools of new packs are called: by their names, or where others have these by both names.
fn tell_tools(planned: &[Planned], catalog: &Catalog) -> Result<()> {
    for command in planned
        .iter()
        .flat_map(|one| one.pack.contents.commands.iter().map(move |command| (one.pack.name(), &command.name)))
    {
        let (pack, name) = command;
        match catalog.tool(name) {
            Ok(_) => exit::print(&format!("run it: bpflua {name}\n")),
            Err(error) if error.hints().len() > 1 => {
                exit::print(&format!("run it: bpflua run {pack}/{name} (`bpflua {name}` could be others, too)\n"));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Removes packs that no others need.
pub fn uninstall(system: bool, names: &[String]) -> Result<()> {
    let catalog = catalog();
    let place = place(system)?;
    let all = catalog.all()?;
    for name in names {
        let found = all.iter().find(|installed| installed.name == *name);
        let found = found.ok_or_else(|| retitled(&catalog.no_pack(name), name))?;
        if found.folder.parent() != Some(&place) {
            let error = Error::script(
                format!("cannot uninstall `{name}`"),
                format!("it is not in `{}` but in `{}`", place.display(), found.folder.display()),
            );
            let is_system = found.folder.starts_with(crate::packs::installed::OF_THE_MACHINE);
            return Err(if is_system {
                error.with_hint(format!("`bpflua pack uninstall --system {name}`"))
            } else {
                error
            });
        }
    }
    refuse_needed(names, &all, &catalog)?;
    install::uninstall(&place, names, catalog.uid)?;
    names.iter().for_each(|name| exit::print(&format!("uninstalled {name}\n")));
    Ok(())
}

fn retitled(error: &Error, name: &str) -> Error {
    error.hints().iter().fold(Error::script(format!("cannot uninstall `{name}`"), error.why()), |told, hint| {
        told.with_hint(hint.clone())
    })
}

fn refuse_needed(names: &[String], all: &[Installed], catalog: &Catalog) -> Result<()> {
    for other in all.iter().filter(|other| !names.contains(&other.name)) {
        let Ok(fetched) = crate::packs::open::of_installed(other, &catalog.limits) else { continue };
        if let Some(name) = names.iter().find(|name| fetched.contents.manifest.dependencies.contains_key(*name)) {
            return Err(Error::script(
                format!("cannot uninstall `{name}`"),
                format!("`{}` {} needs it", other.name, fetched.version()),
            )
            .with_hint(format!("`bpflua pack uninstall {name} {}` removes both", other.name)));
        }
    }
    Ok(())
}

/// Brings installed packs to the newest versions that will do.
pub fn update(how: &How, names: &[String]) -> Result<()> {
    let catalog = catalog();
    let all = catalog.all()?;
    if let Some(unknown) = names.iter().find(|name| all.iter().all(|installed| installed.name != **name)) {
        return Err(catalog.no_pack(unknown));
    }
    let place = place(how.system)?;
    let chosen = all.iter().filter(|installed| installed.folder.parent() == Some(&place));
    let chosen = chosen.filter(|installed| match &installed.record {
        Some(record) if names.is_empty() => record.requested,
        _ => names.contains(&installed.name),
    });
    let wishes = chosen.map(wish_of).collect::<Result<Vec<_>>>()?;
    let ask = Ask { wishes, from: from(&how.from)?, fresh: true, ..Ask::default() };
    let plan = plan(&ask, &all, &catalog.limits)?;
    let changed = changes(&plan, &all)?;
    decide(&how.trust, &changed)?;
    carry_out(how, &changed, &catalog, &all)?;
    if changed.is_empty() {
        exit::print("nothing newer\n");
    }
    Ok(())
}

fn wish_of(installed: &Installed) -> Result<Wish> {
    let Some(record) = &installed.record else {
        let why = "it was not installed by bpflua, so that nobody knows from where it came";
        return Err(Error::script(format!("cannot update `{}`", installed.name), why));
    };
    Ok(Wish {
        source: Source::parse(&record.source)?,
        versions: record.versions.as_deref().map(versions_of).transpose()?,
    })
}

/// Writes the lock file of a pack that somebody is working on.
pub fn lock(folder: &Path, froms: &[String], is_update: bool) -> Result<()> {
    let catalog = catalog();
    let wish = Wish { source: Source::Folder(folder.to_owned()), versions: None };
    let ask = Ask { wishes: vec![wish], from: from(froms)?, fresh: is_update, heed_locks: !is_update, offline: false };
    let plan: Plan = plan(&ask, &catalog.all()?, &catalog.limits)?;
    let (before, lock) = (Lock::read(folder)?, lock_of(&plan));
    let path = folder.join(crate::packs::record::LOCK);
    crate::packs::write_whole(&path, lock.text()?.as_bytes())?;
    for (name, locked) in &lock.packs {
        let was = before.packs.get(name).filter(|was| was.version != locked.version);
        let was = was.map(|was| format!(" (was {})", was.version)).unwrap_or_default();
        exit::print(&format!("{name} {}{was} from {}\n", locked.version, locked.source));
    }
    exit::print(&format!("wrote {}\n", path.display()));
    Ok(())
}
