// SPDX-License-Identifier: Apache-2.0
//! Where installed packs are.
//!
//! A pack is a folder: `pack.toml`, Lua files, and whatever else belongs to it. Its folder has the pack's name and lies in one
//! of the places here, so that `require("NAME")` is `NAME/init.lua` there and `require("NAME.part")` is `NAME/part.lua`: no
//! two packs can take each other's files, and nothing has to be searched to find one.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::record::Record;
use super::rules::is_name;
use crate::error::{Error, Result};

/// The variable whose folders, apart by `:`, stand in place of the usual ones; empty: there are no packs.
pub const VARIABLE: &str = "BPFLUA_PACKS";

/// A folder that is there and holds packs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub folder: PathBuf,
    /// Why nothing is taken from it, if so: others could put code there that this user then runs.
    pub refused: Option<String>,
}

/// The folders that there are, those of the user first. `variable` reads the environment, `uid` is the effective user.
pub fn places(variable: &dyn Fn(&str) -> Option<OsString>, uid: u32) -> Vec<Place> {
    let folders = folders(variable);
    let there = folders.into_iter().filter_map(|folder| {
        let about = std::fs::metadata(&folder).ok().filter(std::fs::Metadata::is_dir)?;
        Some(Place { refused: refusal(about.uid(), about.mode(), uid), folder })
    });
    there.collect()
}

/// Where packs of the whole machine are installed.
pub const OF_THE_MACHINE: &str = "/usr/local/share/bpflua/packs";

/// The folder that packs are installed in: the first of those that they are found in, whether it is there or not.
pub fn place_to_install(variable: &dyn Fn(&str) -> Option<OsString>) -> Result<PathBuf> {
    folders(variable).into_iter().next().ok_or_else(|| {
        Error::script("cannot install packs", format!("`{VARIABLE}` is empty, which means that there are none"))
    })
}

/// A pack in one of the places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Its name, which is that of its folder.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What was noted when bpflua installed it; none for a folder that somebody put there.
    pub record: Option<Record>,
}

/// The packs of all places by name. Of two with one name the first is the one that is used.
pub fn all(places: &[Place]) -> Result<Vec<Installed>> {
    let mut found: Vec<Installed> = Vec::new();
    for place in places.iter().filter(|place| place.refused.is_none()) {
        let entries = std::fs::read_dir(&place.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        for name in names.filter(|name| is_name(name)) {
            if !found.iter().any(|known| known.name == name) {
                found.extend(of_place(place, &name)?);
            }
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}

/// The pack of that name. Places that are refused are told when it lies in one of them and in no other.
pub fn find(places: &[Place], name: &str) -> Result<Option<Installed>> {
    for place in places.iter().filter(|place| place.refused.is_none()) {
        if let Some(found) = of_place(place, name)? {
            return Ok(Some(found));
        }
    }
    let refused = places
        .iter()
        .find_map(|place| Some((place, place.refused.as_ref()?)).filter(|_| place.folder.join(name).is_dir()));
    match refused {
        Some((place, why)) => Err(Error::machine(
            format!("cannot use the pack `{name}`"),
            format!("`{}` is no place for packs: {why}", place.folder.display()),
        )),
        None => Ok(None),
    }
}

fn of_place(place: &Place, name: &str) -> Result<Option<Installed>> {
    let folder = place.folder.join(name);
    // A link would lead to where nobody looked whether others can write.
    if !std::fs::symlink_metadata(&folder).is_ok_and(|about| about.is_dir()) {
        return Ok(None);
    }
    let record = Record::read(&folder)?;
    Ok(Some(Installed { name: name.to_owned(), folder, record }))
}

/// Why packs are neither taken from a folder nor installed in it; none when it is safe, or not there.
pub fn unsafe_place(folder: &Path, uid: u32) -> Option<String> {
    let about = std::fs::metadata(folder).ok()?;
    refusal(about.uid(), about.mode(), uid)
}

/// Refuses a folder when others than `uid` and root could change it or something in it.
pub fn guard(name: &str, folder: &Path, uid: u32) -> Result<()> {
    let mut pending = vec![folder.to_owned()];
    while let Some(path) = pending.pop() {
        let unreadable = |error: &std::io::Error| Error::io(format!("cannot read `{}`", path.display()), error);
        let about = std::fs::symlink_metadata(&path).map_err(|error| unreadable(&error))?;
        if let Some(why) = refusal(about.uid(), about.mode(), uid).filter(|_| !about.is_symlink()) {
            return Err(Error::machine(
                format!("cannot use the pack `{name}`"),
                format!("`{}` is not safe: {why}", path.display()),
            ));
        }
        if about.is_dir() {
            for entry in std::fs::read_dir(&path).map_err(|error| unreadable(&error))? {
                pending.push(entry.map_err(|error| unreadable(&error))?.path());
            }
        }
    }
    Ok(())
}

fn folders(variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    if let Some(list) = variable(VARIABLE) {
        return std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect();
    }
    // By the rules of the XDG Base Directory Specification, paths that are not absolute do not count.
    let absolute = |path: &PathBuf| path.is_absolute();
    let home = || variable("HOME").map(PathBuf::from).filter(absolute).map(|home| home.join(".local/share"));
    let users = variable("XDG_DATA_HOME").map(PathBuf::from).filter(absolute).or_else(home);
    let shared = variable("XDG_DATA_DIRS").filter(|dirs| !dirs.is_empty());
    let shared = shared.unwrap_or_else(|| "/usr/local/share:/usr/share".into());
    let all = users.into_iter().chain(std::env::split_paths(&shared).filter(absolute));
    all.map(|data: PathBuf| data.join(Path::new("bpflua/packs"))).collect()
}

fn refusal(owner: u32, mode: u32, uid: u32) -> Option<String> {
    if owner != 0 && owner != uid {
        Some(format!("it belongs to user {owner}, and this is user {uid}"))
    } else if mode & 0o022 != 0 {
        Some(format!("others than its owner may write to it (mode {:03o})", mode & 0o777))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Vec<String> {
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        folders(&variable).into_iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn the_users_packs_come_before_the_machines() {
        let usual = ["/usr/local/share/bpflua/packs", "/usr/share/bpflua/packs"];
        assert_eq!(of(&[]), usual);
        assert_eq!(of(&[("HOME", "/h")]), [&["/h/.local/share/bpflua/packs"], &usual[..]].concat());
        assert_eq!(of(&[("HOME", "/h"), ("XDG_DATA_HOME", "/d")])[0], "/d/bpflua/packs");
        assert_eq!(of(&[("HOME", "h"), ("XDG_DATA_HOME", "d"), ("XDG_DATA_DIRS", "")]), usual);
        assert_eq!(of(&[("XDG_DATA_DIRS", "/a:b:/c")]), ["/a/bpflua/packs", "/c/bpflua/packs"]);
    }

    #[test]
    fn one_variable_stands_for_all() {
        assert_eq!(of(&[(VARIABLE, "/x:/y"), ("HOME", "/h")]), ["/x", "/y"]);
        assert!(of(&[(VARIABLE, ""), ("HOME", "/h")]).is_empty());
    }

    #[test]
    fn what_others_can_write_to_is_refused() {
        assert_eq!(refusal(0, 0o40755, 1000), None);
        assert_eq!(refusal(1000, 0o40700, 1000), None);
        assert_eq!(refusal(1000, 0o40755, 0).as_deref(), Some("it belongs to user 1000, and this is user 0"));
        assert_eq!(refusal(0, 0o40775, 0).as_deref(), Some("others than its owner may write to it (mode 775)"));
    }
}
