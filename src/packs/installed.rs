// SPDX-License-Identifier: Apache-2.0
//! Where installed packs are.
//!
//! A pack is a folder: `pack.toml`, Lua files, and whatever else belongs to it. Its folder has the pack's name and lies in one
//! of the places here, so that `require("NAME")` is `NAME/init.lua` there and `require("NAME.part")` is `NAME/part.lua`: no
//! two packs can take each other's files, and nothing has to be searched to find one.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

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
