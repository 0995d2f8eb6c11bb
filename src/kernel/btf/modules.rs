// SPDX-License-Identifier: Apache-2.0
//! The types that only kernel modules have.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::open::{SYSFS_BTF, open_sysfs};
use super::reader::Btf;
use super::views::Kind;

impl Btf {
    /// The loaded kernel module whose own types have one of this kind and name, and its types. `self` are the kernel's.
    pub fn in_modules(self: &Arc<Btf>, kind: Kind, name: &str) -> Option<(String, Btf)> {
        modules_in(&Path::new("/").join(SYSFS_BTF)).into_iter().find_map(|(module, path)| {
            let btf = open_sysfs(&path, Some(Arc::clone(self))).ok()?;
            // Reading the bytes through is a fraction of making an index of their names.
            let found = btf.mentions(name) && btf.find(kind, name).is_some();
            found.then_some((module, btf))
        })
    }

    /// Whether its own strings have this name.
    pub fn mentions(&self, name: &str) -> bool {
        memchr::memmem::find(self.storage.bytes(), format!("\0{name}\0").as_bytes()).is_some()
    }
}

/// The kernel modules with type data in a folder, by name.
fn modules_in(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut modules: Vec<(String, PathBuf)> = entries
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
        .filter(|(name, path)| name != "vmlinux" && path.is_file())
        .collect();
    modules.sort();
    modules
}
