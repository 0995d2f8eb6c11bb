// SPDX-License-Identifier: Apache-2.0
//! The files of installed kernel modules, for the one that has a type.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use object::{Object as _, ObjectSection as _};

use super::btf::{Btf, Kind};
use super::modules::is_loaded;

/// An error may take as long as this to say where a type is.
const PATIENCE: Duration = Duration::from_secs(2);
/// A file longer than this is no kernel module.
const MOST_BYTES: u64 = 64 << 20;

/// What a search through the files came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// The module that has the type.
    pub found: Option<String>,
    /// How many modules were looked into.
    pub searched: usize,
    /// How many were not: packed in a way that is not read here, or time was up.
    pub left: usize,
}

/// Looks for a struct or union in the modules installed for the running kernel, whose types are `kernel`, that are not
/// loaded.
pub fn find_record(kernel: &Arc<Btf>, name: &str) -> Search {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    find_under(&Path::new("/lib/modules").join(release.trim()), kernel, name, PATIENCE)
}

fn find_under(folder: &Path, kernel: &Arc<Btf>, name: &str, patience: Duration) -> Search {
    let start = Instant::now();
    let mut search = Search::default();
    let mut files = files(folder);
    // Types are mostly called after their modules.
    files.sort_by_key(|file| std::cmp::Reverse(module_of(file).map_or(0, |module| shared_start(&module, name))));
    for file in files {
        let Some(module) = module_of(&file).filter(|module| !is_loaded(module)) else { continue };
        if start.elapsed() > patience {
            search.left += 1;
            continue;
        }
        let Some(bytes) = unpacked(&file) else {
            search.left += 1;
            continue;
        };
        search.searched += 1;
        if has_record(&bytes, kernel, name) {
            search.found = Some(module);
            break;
        }
    }
    search
}

/// The files of kernel modules in a folder and those below it, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            // Links, such as the one to the kernel's sources, are not followed.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(entry.path()),
                Ok(kind) if kind.is_file() && module_of(&entry.path()).is_some() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort_unstable();
    found
}

/// The name of the module in a file: `nf_conntrack` of `nf-conntrack.ko.xz`.
fn module_of(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let (stem, ending) = name.split_once(".ko")?;
    (ending.is_empty() || ending.starts_with('.')).then(|| stem.replace('-', "_"))
}

/// How many characters two names begin with in common.
fn shared_start(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

/// The bytes of a module's file; `None` when it is packed in a way that is not read here.
fn unpacked(file: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut opened = fs::File::open(file).ok()?.take(MOST_BYTES);
    match file.extension()?.to_str()? {
        "ko" => opened.read_to_end(&mut bytes).ok()?,
        "xz" => xz2::read::XzDecoder::new(opened).take(MOST_BYTES).read_to_end(&mut bytes).ok()?,
        _ => return None,
    };
    Some(bytes)
}

fn has_record(module: &[u8], kernel: &Arc<Btf>, name: &str) -> bool {
    // Most modules do not so much as mention it.
    if memchr::memmem::find(module, format!("\0{name}\0").as_bytes()).is_none() {
        return false;
    }
    let section = object::File::parse(module).ok().and_then(|file| {
        let section = file.section_by_name(".BTF")?;
        section.data().ok().map(<[u8]>::to_vec)
    });
    let types = section.and_then(|bytes| Btf::with_base(Arc::clone(kernel), bytes).ok());
    types.is_some_and(|btf| btf.find(Kind::Struct, name).is_some() || btf.find(Kind::Union, name).is_some())
}

#[cfg(test)]
mod tests {
    use super::super::btf::fixtures::layouts;
    use super::*;

    #[test]
    fn names_of_files() {
        let of = |name: &str| module_of(Path::new(name));
        assert_eq!(of("/x/nf-conntrack.ko.xz").as_deref(), Some("nf_conntrack"));
        assert_eq!(of("overlay.ko").as_deref(), Some("overlay"));
        assert_eq!(of("modules.dep"), None);
        assert_eq!(of("a.kox"), None);
    }

    #[test]
    fn what_is_looked_into_is_counted() {
        let folder = std::env::temp_dir().join(format!("bpflua-modules-{}", std::process::id()));
        fs::create_dir_all(folder.join("kernel/net")).unwrap();
        fs::write(folder.join("kernel/net/one.ko"), "no module, \0wanted\0 in it").unwrap();
        fs::write(folder.join("kernel/packed.ko.zst"), "").unwrap();
        fs::write(folder.join("modules.dep"), "").unwrap();
        let kernel = Arc::new(layouts());
        let search = find_under(&folder, &kernel, "wanted", PATIENCE);
        assert_eq!(search, Search { found: None, searched: 1, left: 1 });
        let search = find_under(&folder, &kernel, "wanted", Duration::ZERO);
        assert_eq!((search.searched, search.left), (0, 2));
        fs::remove_dir_all(&folder).unwrap();
    }
}
