// SPDX-License-Identifier: Apache-2.0
//! The kernel modules whose types a C text may name: those loaded here, or those beside the file of `--btf`.

use std::path::Path;
use std::sync::Arc;

use crate::compiler::Modules;
use crate::kernel::btf::{Btf, BtfFolder};
use crate::kernel::module_files;

/// The modules of the kernel with these types.
pub struct KernelModules<'a> {
    /// The kernel's own types, if they are to be had.
    pub kernel: Option<&'a Arc<Btf>>,
    /// The file that `--btf` names; the running kernel's types are taken when none.
    pub given: Option<&'a Path>,
}

impl KernelModules<'_> {
    fn folder(&self) -> Option<BtfFolder> {
        self.given.map_or_else(|| Some(BtfFolder::running()), BtfFolder::around)
    }
}

impl Modules for KernelModules<'_> {
    fn types(&self, names: &[String]) -> Option<(Btf, Vec<String>)> {
        self.folder()?.with(self.kernel?, names)
    }

    fn hint(&self, record: &str) -> Option<String> {
        let name = record.rsplit(' ').next().unwrap_or(record);
        let searched = self.folder().map_or(0, |folder| folder.modules().len());
        let here = match (searched, self.given.is_some()) {
            (0, _) => None,
            (count, true) => Some(format!("nor have the {count} modules beside it")),
            (count, false) => Some(format!("nor have the {count} loaded kernel modules with types")),
        };
        let Some(kernel) = self.kernel.filter(|_| self.given.is_none()) else { return here };
        let search = module_files::find_record(kernel, name);
        if let Some(module) = search.found {
            return Some(format!("kernel module `{module}`, which is not loaded, has it: `modprobe {module}`"));
        }
        if search == module_files::Search::default() {
            return here;
        }
        let here = here.map_or_else(String::new, |here| format!("{here}; "));
        Some(format!("{here}{}", search.words()))
    }
}
