// SPDX-License-Identifier: Apache-2.0
//! Packs come into a folder of packs and go: all at once or not at all, one process at a time.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::fetched::Fetched;
use super::installed::Installed;
use super::record::{LOCK, Lock, Locked, Record};
use super::tree::RECORD;
use super::{disk, installed, sys};
use crate::error::{Error, Result};

/// The file that processes lock while they change a folder of packs.
const GATE: &str = ".lock";
/// How folders begin that are not finished; no pack is called so.
const UNFINISHED: &str = ".new-";

/// A pack that is to be installed.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The pack.
    pub pack: Rc<Fetched>,
    /// Whether somebody asked for it by name.
    pub requested: bool,
    /// The versions that were asked for.
    pub versions: Option<String>,
}

/// Installs packs into a folder of packs. This is the one way in: what comes here was fetched, checked for form, chosen, and
/// found worthy of trust. First all are written beside, then each takes its place by one rename.
pub fn install(place: &Path, planned: &[Planned], uid: u32) -> Result<()> {
    let _gate = enter(place, uid)?;
    let mut staged = Vec::new();
    for one in planned {
        staged.push(stage(place, one)?);
    }
    let mut lock = Lock::read(place)?;
    for (one, from) in planned.iter().zip(&staged) {
        take_place(from, &place.join(one.pack.name()))?;
        lock.packs.insert(one.pack.name().to_owned(), one.pack.locked());
    }
    finish(place, &lock)
}

/// Removes packs from a folder of packs.
pub fn uninstall(place: &Path, names: &[String], uid: u32) -> Result<()> {
    let _gate = enter(place, uid)?;
    let mut lock = Lock::read(place)?;
    for name in names {
        let folder = place.join(name);
        let gone = place.join(format!("{UNFINISHED}gone-{name}-{}", std::process::id()));
        let moved = fs::rename(&folder, &gone);
        moved.map_err(|error| Error::io(format!("cannot remove `{}`", folder.display()), &error))?;
        let _ = fs::remove_dir_all(&gone);
        lock.packs.remove(name);
    }
    finish(place, &lock)
}

/// What a folder's lock file says of a pack that is installed in it.
pub fn locked(found: &Installed) -> Result<Option<Locked>> {
    let lock = found.folder.parent().map(Lock::read).transpose()?;
    Ok(lock.and_then(|lock| lock.packs.get(&found.name).cloned()))
}

/// Waits for others that change the folder, and removes what a process left that was ended in the middle.
fn enter(place: &Path, uid: u32) -> Result<File> {
    disk::make_folder(place)?;
    if let Some(why) = installed::unsafe_place(place, uid) {
        return Err(Error::machine(format!("cannot install packs in `{}`", place.display()), why));
    }
    let path = place.join(GATE);
    let open = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let gate = open.and_then(|gate| sys::lock(&gate).map(|()| gate));
    let gate = gate.map_err(|error| Error::io(format!("cannot write to `{}`", place.display()), &error))?;
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(gate)
}

/// Writes a pack and its record beside the others, whole and on the disk.
fn stage(place: &Path, planned: &Planned) -> Result<PathBuf> {
    let folder = place.join(format!("{UNFINISHED}{}-{}", planned.pack.name(), std::process::id()));
    disk::write(&planned.pack.tree, &folder)?;
    let record: Record = planned.pack.record(planned.requested, planned.versions.clone());
    disk::write_new(&folder.join(RECORD), record.text()?.as_bytes(), 0o644)?;
    Ok(folder)
}

/// Has a finished folder stand where it belongs. One that was there goes.
fn take_place(from: &Path, to: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Error::io(format!("cannot install `{}`", to.display()), &error);
    if fs::symlink_metadata(to).is_err() {
        return fs::rename(from, to).map_err(failed);
    }
    if sys::exchange(from, to).is_err() {
        // A file system without an exchange: for a moment there is neither.
        let old = from.with_extension("old");
        fs::rename(to, &old).and_then(|()| fs::rename(from, to)).map_err(failed)?;
        let _ = fs::remove_dir_all(old);
    }
    let _ = fs::remove_dir_all(from);
    Ok(())
}

fn finish(place: &Path, lock: &Lock) -> Result<()> {
    disk::replace(&place.join(LOCK), lock.text()?.as_bytes())
}
