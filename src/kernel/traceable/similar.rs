// SPDX-License-Identifier: Apache-2.0
//! What a user who names a function that does not exist may have meant.

use super::functions::TraceableFunctions;
use crate::kernel::syscalls;
use crate::suggest;

/// How many functions are suggested at most.
const LIMIT: usize = 5;

impl TraceableFunctions {
    /// Traceable functions that `name` may stand for, the likeliest first; at most five.
    pub fn similar(&self, name: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for form in other_forms(name).into_iter().chain(self.near_names(name)) {
            for existing in self.symbols().variants(&form) {
                let listed = self.symbols().numbers(existing).any(|n| self.is_listed(n, &self.symbols().symbol(n)));
                if listed && found.len() < LIMIT && !found.iter().any(|seen| seen == existing) {
                    found.push(existing.to_owned());
                }
            }
        }
        found
    }

    /// Names that are spelled nearly so. Suffixes of the compiler are no part of the spelling.
    fn near_names(&self, name: &str) -> Vec<String> {
        let stem = name.split('.').next().unwrap_or(name);
        let listed = self.symbols().iter().enumerate().filter(|(number, symbol)| self.is_listed(*number, symbol));
        let stems = listed.map(|(_, symbol)| symbol.name.split('.').next().unwrap_or(symbol.name));
        suggest::nearest(stem, stems).into_iter().map(str::to_owned).collect()
    }
}

/// The forms that a name takes in other kernels: `kmalloc` is `kmalloc_noprof` since 6.10, `sys_clone` is
/// `__x64_sys_clone` since 4.17, what does the work of a system call is often `ksys_NAME`, `do_NAME` or `do_sys_NAME`.
fn other_forms(name: &str) -> Vec<String> {
    let stem = name.split('.').next().unwrap_or(name);
    let mut forms = vec![stem.to_owned(), format!("{stem}_noprof")];
    forms.extend(stem.strip_suffix("_noprof").map(str::to_owned));
    let of_syscall = syscalls::PREFIXES.iter().find_map(|prefix| stem.strip_prefix(prefix));
    if let Some(syscall) = of_syscall.or_else(|| syscalls::number(stem).map(|_| stem)) {
        forms.extend(syscalls::PREFIXES.iter().map(|prefix| syscalls::function_name(prefix, syscall)));
        forms.extend(["ksys_", "do_sys_", "do_"].map(|prefix| format!("{prefix}{syscall}")));
    }
    forms.push(format!("__{stem}"));
    forms.extend(stem.strip_prefix("__").map(str::to_owned));
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::kallsyms::Kallsyms;
    use std::sync::Arc;

    const FIXTURE: &str = include_str!("../../../tests/fixtures/kallsyms/6.18-x86_64.txt");

    fn similar(symbols: &str, name: &str) -> Vec<String> {
        TraceableFunctions::new(Arc::new(Kallsyms::parse(symbols.as_bytes()).unwrap())).similar(name)
    }

    #[test]
    fn misspelled_names() {
        assert_eq!(similar(FIXTURE, "vfs_raed"), ["vfs_read", "vfs_readv"]);
        assert_eq!(similar(FIXTURE, "finish_task_swich"), ["finish_task_switch.isra.0"]);
        assert_eq!(similar(FIXTURE, "finish_task_switch.isra.1"), ["finish_task_switch.isra.0"]);
        assert!(similar(FIXTURE, "frobnicate_the_frobs").is_empty());
        assert!(similar(FIXTURE, "").is_empty());
    }

    #[test]
    fn names_of_other_kernels() {
        assert_eq!(similar(FIXTURE, "sys_clone")[0], "__x64_sys_clone");
        assert_eq!(similar(FIXTURE, "clone")[0], "__x64_sys_clone");
        assert_eq!(similar("1 T kmalloc_noprof\n", "kmalloc"), ["kmalloc_noprof"]);
        assert_eq!(similar("1 T kmalloc\n", "kmalloc_noprof"), ["kmalloc"]);
        assert_eq!(similar("1 T __alloc_pages\n", "alloc_pages"), ["__alloc_pages"]);
    }

    #[test]
    fn never_more_than_five_and_none_twice() {
        let symbols: String = (0..50).map(|n| format!("{n} t some_function.isra.{n}\n")).collect();
        let found = similar(&symbols, "some_functoin");
        assert_eq!(found.len(), 5);
    }
}
