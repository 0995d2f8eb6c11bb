// SPDX-License-Identifier: Apache-2.0
//! Names of files, folders and programs that go on from what was typed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::fuzzy;
use crate::probes::Completion;

/// Files and folders that go on from a path; a folder ends in `/`. The byte of the text that they begin at comes first.
pub fn files(typed: &str, limit: usize) -> (usize, Vec<Completion>) {
    let start = typed.rfind('/').map_or(0, |slash| slash + 1);
    let (folder, word) = typed.split_at(start);
    let home = std::env::var("HOME").unwrap_or_default();
    let folder = match folder.strip_prefix("~/") {
        Some(rest) => format!("{home}/{rest}"),
        None if folder.is_empty() => ".".to_owned(),
        None => folder.to_owned(),
    };
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // What is hidden is offered to who asks for it.
        if !name.starts_with('.') || word.starts_with('.') {
            // The folder tells what most are; only what links lead to must be looked at.
            let kind = entry.file_type();
            let is_folder = kind.is_ok_and(|kind| kind.is_dir() || kind.is_symlink() && entry.path().is_dir());
            names.push(if is_folder { format!("{name}/") } else { name });
        }
    }
    names.sort_unstable();
    let found = fuzzy::best(word, names.iter().map(String::as_str), limit);
    (start, completions(found))
}

/// Programs in `PATH`.
pub fn programs(typed: &str, limit: usize) -> Vec<Completion> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<Arc<Vec<String>>> = std::env::split_paths(&path).map(|folder| names_in(&folder)).collect();
    let mut names: Vec<&str> = folders.iter().flat_map(|names| names.iter().map(String::as_str)).collect();
    names.sort_unstable();
    names.dedup();
    completions(fuzzy::best(typed, names, limit))
}

fn completions(names: Vec<&str>) -> Vec<Completion> {
    names.into_iter().map(|name| Completion { text: name.to_owned(), note: String::new() }).collect()
}

/// What a folder had when it was read, and when it had changed before.
type Known = HashMap<PathBuf, (SystemTime, Arc<Vec<String>>)>;

/// The names in a folder, read anew when it has changed.
fn names_in(folder: &Path) -> Arc<Vec<String>> {
    static KNOWN: Mutex<Option<Known>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    let Ok(modified) = folder.metadata().and_then(|about| about.modified()) else { return Arc::default() };
    if let Some((_, names)) = known.get(folder).filter(|(before, _)| *before == modified) {
        return Arc::clone(names);
    }
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names: Arc<Vec<String>> =
        Arc::new(entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect());
    known.insert(folder.to_owned(), (modified, Arc::clone(&names)));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_end_in_a_slash_and_links_lead_to_them() {
        let folder = std::env::temp_dir().join(format!("bpflua-files-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("inner")).unwrap();
        std::fs::write(folder.join("file"), "").unwrap();
        std::os::unix::fs::symlink("inner", folder.join("link")).unwrap();
        let typed = format!("{}/", folder.display());
        let (start, found) = files(&typed, 9);
        let names: Vec<&str> = found.iter().map(|one| one.text.as_str()).collect();
        assert_eq!((start, names), (typed.len(), vec!["file", "inner/", "link/"]));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_of_programs_is_read_anew_when_it_has_changed() {
        let folder = std::env::temp_dir().join(format!("bpflua-programs-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        assert!(names_in(&folder).is_empty());
        std::fs::write(folder.join("program"), "").unwrap();
        let later = SystemTime::now() + std::time::Duration::from_secs(1);
        std::fs::File::open(&folder).unwrap().set_modified(later).unwrap();
        assert_eq!(*names_in(&folder), ["program"]);
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(names_in(&folder).is_empty());
    }
}
