// SPDX-License-Identifier: Apache-2.0
//! Loaded kernel modules.

use std::fs;
use std::path::PathBuf;

use super::kallsyms::{self, Symbol};

/// Whether this kernel module is loaded. What is built into the kernel is not a loaded kernel module.
pub fn is_loaded(name: &str) -> bool {
    // Code that is built in has a folder there too when it has parameters, but no state of loading.
    folder_name(name).is_some_and(|name| PathBuf::from("/sys/module").join(name).join("initstate").exists())
}

/// The loaded kernel modules, in the order of `/proc/modules`; none when the kernel takes no modules.
pub fn loaded() -> Vec<String> {
    parse_modules(&fs::read_to_string("/proc/modules").unwrap_or_default())
}

/// Where the types of a loaded kernel module are, if it has any.
pub fn btf_path(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from("/sys/kernel/btf").join(folder_name(name)?);
    path.exists().then_some(path)
}

/// The loaded kernel module that a function is of; `None` for the kernel's own and for names that are no function's.
pub fn of_function(function: &str) -> Option<String> {
    let symbols = kallsyms::shared().ok()?;
    let symbol = symbols.find_all(function).find(Symbol::is_code)?;
    symbol.kernel_module.map(str::to_owned)
}

/// Whether `modprobe` would find this kernel module for the running kernel.
pub fn is_installed(name: &str) -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let index = fs::read_to_string(PathBuf::from("/lib/modules").join(release.trim()).join("modules.dep"));
    lists(&index.unwrap_or_default(), name)
}

/// Whether an index of kernel modules, as depmod writes it, has one of this name.
fn lists(index: &str, name: &str) -> bool {
    let files = index.lines().filter_map(|line| line.split(':').next()?.rsplit('/').next()?.split('.').next());
    files.into_iter().any(|file| file.replace('-', "_") == name)
}

/// The name as the kernel writes it; `None` for what cannot be one.
fn folder_name(name: &str) -> Option<String> {
    let name = name.replace('-', "_");
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some(name)
}

fn parse_modules(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list() {
        let text = "virtiofs 28672 1 - Live 0xffffffffc02d5000\nfuse 176128 1 virtiofs, Live 0x0\n\n";
        assert_eq!(parse_modules(text), ["virtiofs", "fuse"]);
        assert!(parse_modules("").is_empty());
    }

    #[test]
    fn the_index_of_what_is_installed() {
        let index = "kernel/net/sched/cls_bpf.ko.xz:\nkernel/a/nf-x.ko: kernel/a/b.ko\n";
        assert!(lists(index, "cls_bpf") && lists(index, "nf_x"));
        assert!(!lists(index, "b") && !lists("", "x"));
    }

    #[test]
    fn names() {
        assert_eq!(folder_name("nf-tables").as_deref(), Some("nf_tables"));
        assert_eq!(folder_name("../x"), None);
        assert_eq!(folder_name(""), None);
        assert!(!is_loaded("no_such_kernel_module") && !is_loaded("../../etc"));
        assert_eq!(btf_path("no_such_kernel_module"), None);
    }
}
