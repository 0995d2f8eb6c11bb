// SPDX-License-Identifier: Apache-2.0
//! The pack that a new one begins as.

use std::path::Path;

use super::embedded::SKELETON;
use super::tree::Tree;
use super::{disk, rules};
use crate::error::{Error, Result};

/// What stands for the pack's name in the files and in their names.
const PLACE: &str = "NAME";

/// Makes a folder with a new pack, which is called as its folder. Gives the paths of its files, from that folder.
pub fn make(folder: &Path) -> Result<Vec<String>> {
    let shown = folder.display().to_string();
    let fail = |why: &str| Error::script(format!("cannot make the pack `{shown}`"), why);
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !rules::is_name(name) {
        return Err(fail(&format!("`{name}` is no name for a pack")).with_hint(rules::NAMES));
    }
    if std::fs::symlink_metadata(folder).is_ok() {
        return Err(fail("there is something of that name already"));
    }
    let tree = tree(name);
    disk::write(&tree, folder)?;
    Ok(tree.files().map(|(path, _)| path.to_owned()).collect())
}

fn tree(name: &str) -> Tree {
    let mut tree = Tree::default();
    for (path, bytes) in SKELETON {
        let text = String::from_utf8_lossy(bytes).replace(PLACE, name);
        tree.put(&path.replace(PLACE, name), text);
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packs::contents::Contents;

    #[test]
    fn it_is_a_pack_with_a_tool_and_a_test() {
        let contents = Contents::of(&tree("opens"), "opens").unwrap();
        assert_eq!(contents.name(), "opens");
        assert!(contents.command("opens").is_some());
        assert_eq!(contents.tests, ["tests/opens.lua"]);
    }
}
