// SPDX-License-Identifier: Apache-2.0
//! The types that only kernel modules have: each module's type data goes on where the kernel's end.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::open::{SYSFS_BTF, open_sysfs};
use super::reader::Btf;
use super::views::Kind;

/// The kernel's own file in a folder of type data.
const KERNEL_FILE: &str = "vmlinux";
/// What type data begin with.
const MAGIC: [u8; 2] = 0xeb9f_u16.to_ne_bytes();
/// What a text may name: a type, a function, or an enumerator, which has no kind of its own.
const NAMED: [Kind; 5] = [Kind::Struct, Kind::Union, Kind::Enum, Kind::Typedef, Kind::Func];

/// A folder of type data as `/sys/kernel/btf` is one: `vmlinux`, and a file for each kernel module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BtfFolder(PathBuf);

impl BtfFolder {
    /// The running kernel's.
    pub fn running() -> BtfFolder {
        BtfFolder(Path::new("/").join(SYSFS_BTF))
    }

    /// The folder that a file of the user's is in, if it is called `vmlinux` there.
    pub fn around(file: &Path) -> Option<BtfFolder> {
        let folder = file.parent().filter(|_| file.file_name().is_some_and(|name| name == KERNEL_FILE))?;
        Some(BtfFolder(if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }))
    }

    /// The kernel's own type data in what the user gave: the file, or `vmlinux` of the folder.
    pub fn kernel_file(given: &Path) -> PathBuf {
        if given.is_dir() { given.join(KERNEL_FILE) } else { given.to_owned() }
    }

    /// The kernel modules that have a file here, by name.
    pub fn modules(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().flatten();
        let names = entries.filter(|entry| entry.path().is_file()).map(|entry| entry.file_name());
        let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
        names.retain(|name| name != KERNEL_FILE);
        names.sort_unstable();
        names
    }

    fn open(&self, module: &str, kernel: &Arc<Btf>) -> Option<Btf> {
        let (path, base) = (self.0.join(module), Arc::clone(kernel));
        if *self == BtfFolder::running() {
            return open_sysfs(&path, base).ok();
        }
        // Anything may lie beside the user's file.
        let mut file = File::open(path).ok()?;
        let mut bytes = vec![0; MAGIC.len()];
        file.read_exact(&mut bytes).ok().filter(|()| bytes == MAGIC)?;
        file.read_to_end(&mut bytes).ok()?;
        Btf::with_base(base, bytes).ok()
    }

    /// The first module whose own types have one of this kind and name, and its types.
    pub fn find(&self, kernel: &Arc<Btf>, kind: Kind, name: &str) -> Option<(String, Btf)> {
        self.modules().into_iter().find_map(|module| {
            let btf = self.open(&module, kernel)?;
            // Reading the bytes through is a fraction of making an index of their names.
            let found = btf.mentions(name) && btf.find(kind, name).is_some();
            found.then_some((module, btf))
        })
    }

    /// The kernel's types, with those of as few modules beside them as have what some names stand for; and the names of
    /// these modules. `None` when no module has any of them. What the kernel has is not looked for.
    pub fn with(&self, kernel: &Arc<Btf>, names: &[String]) -> Option<(Btf, Vec<String>)> {
        let mut wanted: Vec<&str> = names.iter().map(String::as_str).filter(|name| !has(kernel, name)).collect();
        let modules = self.modules();
        let opened = modules.iter().filter_map(|module| Some((module, self.open(module, kernel)?)));
        let mut left: Vec<(&String, Btf)> =
            opened.filter(|(_, btf)| wanted.iter().any(|name| has_itself(btf, name))).collect();
        let mut chosen = Vec::new();
        let mut top: Option<Btf> = None;
        while let Some(best) = (0..left.len()).max_by_key(|&at| count(&left[at].1, &wanted)) {
            let (module, btf) = left.swap_remove(best);
            if count(&btf, &wanted) == 0 {
                break;
            }
            wanted.retain(|name| !has_itself(&btf, name));
            chosen.push(module.clone());
            top = match top {
                None => Some(btf),
                Some(below) => btf.stacked_on(Arc::new(below)).ok(),
            };
        }
        Some((top?, chosen))
    }
}

impl Btf {
    /// Whether its own strings have this name.
    pub fn mentions(&self, name: &str) -> bool {
        memchr::memmem::find(self.bytes(), format!("\0{name}\0").as_bytes()).is_some()
    }
}

fn count(btf: &Btf, names: &[&str]) -> usize {
    names.iter().filter(|name| has_itself(btf, name)).count()
}

/// Whether a module's own types have this name.
fn has_itself(btf: &Btf, name: &str) -> bool {
    btf.mentions(name) && has(btf, name)
}

fn has(btf: &Btf, name: &str) -> bool {
    NAMED.iter().any(|kind| btf.find(*kind, name).is_some()) || btf.enumerator(name).is_some()
}
