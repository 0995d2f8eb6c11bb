// SPDX-License-Identifier: Apache-2.0
//! The files of installed kernel modules, for the one that has a type or a function.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use object::{Object as _, ObjectSection as _};

use super::btf::{Btf, Kind};
use super::modules::is_loaded;
use super::packed;

/// A search looks into so many bytes of kernel modules, the likely ones first, and says how many modules are left: an error
/// that took longer to say where a type is would be taken for a hang. A count, unlike a time, is the same on every machine.
const SEARCHED_BYTES: usize = 384 << 20;
/// A file longer than this is no kernel module.
const LIMIT_BYTES: usize = 64 << 20;
const RECORDS: [Kind; 2] = [Kind::Struct, Kind::Union];

/// What a search through the files came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// The module that has it.
    pub found: Option<String>,
    /// How many modules were looked into.
    pub searched: usize,
    /// How many cannot be read.
    pub unread: usize,
    /// How many, the least likely ones, were not looked into.
    pub left: usize,
}

impl Search {
    /// What was searched in vain.
    pub fn words(&self) -> String {
        let told = |count: usize, words: &str| if count > 0 { format!(", {count} {words}") } else { String::new() };
        let unread = told(self.unread, "cannot be read");
        let left = told(self.left, "less likely ones were not looked into");
        format!("searched: {} installed kernel modules that are not loaded{unread}{left}", self.searched)
    }
}

/// Looks for a struct or union in the modules installed for the running kernel, whose types are `kernel`, that are not
/// loaded.
pub fn find_record(kernel: &Arc<Btf>, name: &str) -> Search {
    find(kernel, &RECORDS, name)
}

/// The same for a function.
pub fn find_function(kernel: &Arc<Btf>, name: &str) -> Search {
    find(kernel, &[Kind::Func], name)
}

fn find(kernel: &Arc<Btf>, kinds: &[Kind], name: &str) -> Search {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    find_under(&Path::new("/lib/modules").join(release.trim()), kernel, kinds, name, SEARCHED_BYTES)
}

fn find_under(folder: &Path, kernel: &Arc<Btf>, kinds: &[Kind], name: &str, most: usize) -> Search {
    let mut bytes_searched = 0;
    let mut search = Search::default();
    let mut files = files(folder);
    files.sort_by_key(|file| std::cmp::Reverse(module_of(file).map_or(0, |module| likelihood(&module, name))));
    for file in files {
        let Some(module) = module_of(&file).filter(|module| !is_loaded(module)) else { continue };
        if bytes_searched >= most {
            search.left += 1;
            continue;
        }
        let Some(bytes) = unpacked(&file) else {
            search.unread += 1;
            continue;
        };
        bytes_searched += bytes.len();
        search.searched += 1;
        if has(&bytes, kernel, kinds, name) {
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

/// Modules whose names do not tell that they have what is called so: functions for BPF programs, and their types.
const FOR_PROGRAMS: [(&str, &str); 4] =
    [("nf_conntrack", "_ct_"), ("nf_nat", "_ct_set_nat"), ("nf_flow_table", "_flow_"), ("xfrm_interface", "_xfrm_")];

/// Which of two modules is to be looked into first.
fn likelihood(module: &str, name: &str) -> usize {
    let known = FOR_PROGRAMS.iter().find(|(known, part)| module == *known && name.contains(part));
    // Types are mostly called after their modules.
    known.map_or_else(|| shared_start(module, name), |(_, part)| name.len() + part.len())
}

/// How many characters two names begin with in common.
fn shared_start(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

/// The bytes of a module's file; `None` when it cannot be read, or is damaged.
fn unpacked(file: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(file).ok()?.take(LIMIT_BYTES as u64).read_to_end(&mut bytes).ok()?;
    packed::unpack(bytes, LIMIT_BYTES)
}

fn has(module: &[u8], kernel: &Arc<Btf>, kinds: &[Kind], name: &str) -> bool {
    // Most modules do not so much as mention it.
    if memchr::memmem::find(module, format!("\0{name}\0").as_bytes()).is_none() {
        return false;
    }
    let section = object::File::parse(module).ok().and_then(|file| {
        let section = file.section_by_name(".BTF")?;
        section.data().ok().map(<[u8]>::to_vec)
    });
    let types = section.and_then(|bytes| Btf::with_base(Arc::clone(kernel), bytes).ok());
    types.is_some_and(|btf| kinds.iter().any(|kind| btf.find(*kind, name).is_some()))
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
    fn the_likely_first() {
        let first =
            |name, modules: &[&'static str]| *modules.iter().max_by_key(|module| likelihood(module, name)).unwrap();
        assert_eq!(first("nft_table", &["ip_tables", "nft_compat", "nf_conntrack"]), "nft_compat");
        assert_eq!(first("bpf_ct_opts", &["bpfilter", "nf_conntrack", "nf_nat"]), "nf_conntrack");
        assert_eq!(first("bpf_ct_set_nat_info", &["nf_conntrack", "nf_nat", "bpfilter"]), "nf_nat");
    }

    #[test]
    fn what_is_looked_into_is_counted() {
        const PACKED: &[u8] = include_bytes!("../../tests/fixtures/packed/config.zst");
        let folder = std::env::temp_dir().join(format!("bpflua-modules-{}", std::process::id()));
        fs::create_dir_all(folder.join("kernel/net")).unwrap();
        fs::write(folder.join("kernel/net/one.ko"), "no module, \0wanted\0 in it").unwrap();
        fs::write(folder.join("kernel/packed.ko.zst"), PACKED).unwrap();
        fs::write(folder.join("kernel/damaged.ko.zst"), &PACKED[..PACKED.len() / 2]).unwrap();
        fs::write(folder.join("modules.dep"), "").unwrap();
        let kernel = Arc::new(layouts());
        let find = |most| find_under(&folder, &kernel, &RECORDS, "wanted", most);
        assert_eq!(find(SEARCHED_BYTES), Search { found: None, searched: 2, unread: 1, left: 0 });
        // Modules are looked into as a whole; which are left is the same every time.
        let first = find(1);
        assert_eq!((first.searched, first.searched + first.unread + first.left), (1, 3));
        assert_eq!(first, find(1));
        assert_eq!(find(0), Search { found: None, searched: 0, unread: 0, left: 3 });
        fs::remove_dir_all(&folder).unwrap();
    }
}
