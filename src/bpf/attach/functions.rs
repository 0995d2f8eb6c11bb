// SPDX-License-Identifier: Apache-2.0
//! From what the user named to functions of the running kernel.

use super::{KprobeEvent, KprobeTarget};
use crate::error::{Error, Result};
use crate::kernel::kallsyms::{self, Kallsyms, Symbol};
use crate::kernel::{btf, syscalls, traceable};

/// A function of the running kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelFunction {
    /// Its name, with the suffix the compiler gave it. Empty for a bare address.
    pub name: String,
    /// Where it is; 0 when the kernel hides it, or nobody had to know.
    pub address: u64,
    /// Others have the same name, so that only the address tells it apart.
    pub ambiguous: bool,
}

/// The functions that a target stands for, at least one.
#[derive(Debug)]
pub struct Resolved {
    /// The functions.
    pub functions: Vec<KernelFunction>,
    /// What to tell the user about the choice.
    pub notes: Vec<String>,
}

impl Resolved {
    /// Looks up a target; `what` is the headline of an error.
    pub fn new(target: &KprobeTarget, what: &str) -> Result<Resolved> {
        match &target.event {
            KprobeEvent::Address(address) => {
                let function = KernelFunction { name: String::new(), address: *address, ambiguous: true };
                Ok(Resolved { functions: vec![function], notes: Vec::new() })
            }
            KprobeEvent::Matching(regex) => matching(regex, what),
            KprobeEvent::Name(name) => named(name, what),
        }
    }

    /// The addresses of all; 0 for one that the kernel hides.
    pub fn addresses(&self) -> Vec<u64> {
        let find = |name: &str| kallsyms::shared().ok().and_then(|symbols| symbols.address(name)).unwrap_or(0);
        let address = |function: &KernelFunction| match function.address {
            0 => find(&function.name),
            address => address,
        };
        self.functions.iter().map(address).collect()
    }

    /// The names, for reports, each once.
    pub fn names(&self) -> Vec<String> {
        let named = self.functions.iter().map(|function| function.name.clone()).filter(|name| !name.is_empty());
        let mut names: Vec<String> = named.collect();
        names.dedup();
        names
    }
}

fn matching(regex: &str, what: &str) -> Result<Resolved> {
    let known = traceable::shared()?;
    let symbols = known.symbols();
    let mut functions = Vec::new();
    for name in known.matching(regex)? {
        functions.extend(all_of(symbols, name));
    }
    if functions.is_empty() {
        let error =
            Error::script(what, "no function of this kernel that can be traced matches").with_errno(libc::ENOENT);
        return Err(error.with_note("the expression must match the whole name"));
    }
    Ok(Resolved { functions, notes: Vec::new() })
}

fn named(name: &str, what: &str) -> Result<Resolved> {
    if is_syscall_function(name) {
        let function = KernelFunction { name: name.to_owned(), address: 0, ambiguous: false };
        return Ok(Resolved { functions: vec![function], notes: Vec::new() });
    }
    let symbols = kallsyms::shared()?;
    let mut notes = Vec::new();
    let Some(found) = find(&symbols, name) else {
        let error = traceable::shared()?.why_not(name).map(|reason| reason.error(what));
        return Err(error.unwrap_or_else(|| Error::machine(what, "no such function in this kernel")));
    };
    let functions: Vec<KernelFunction> = found.iter().flat_map(|found| all_of(&symbols, found)).collect();
    if found != [name] {
        notes.push(format!("`{name}` is `{}` in this kernel", found.join("`, `")));
    }
    if found.len() == 1 && functions.len() > 1 {
        notes.push(format!("{} functions of this kernel have this name; all are probed", functions.len()));
    }
    Ok(Resolved { functions, notes })
}

/// Whether this is a system call's function of this kernel by its full name. Those are global symbols, so there is one of
/// each, and the BTF says at once whether it is there; reading all symbols takes the kernel 50 ms and more.
fn is_syscall_function(name: &str) -> bool {
    let native = syscalls::parse_function_name(name).is_some_and(|call| call.number.is_some());
    native && name.starts_with("__") && btf::shared().is_ok_and(|btf| btf.func_by_name(name).is_some())
}

/// The names that `name` stands for in this kernel: itself, what the compiler made of it, what an allocation-profiling
/// kernel calls it, or the same system call under this kernel's prefix. Parts split off a function are not it.
fn find(symbols: &Kallsyms, name: &str) -> Option<Vec<String>> {
    if symbols.count_functions(name) > 0 {
        return Some(vec![name.to_owned()]);
    }
    let whole = |found: &&str| !found.contains(".part.");
    let variants: Vec<String> = symbols.variants(name).into_iter().filter(whole).map(str::to_owned).collect();
    if !variants.is_empty() {
        return Some(variants);
    }
    let renamed = || syscalls::prefix().ok().map(|prefix| syscalls::fix_function_name(prefix, name));
    let others = [Some(format!("{name}_noprof")), renamed()];
    others.into_iter().flatten().find(|other| symbols.count_functions(other) > 0).map(|other| vec![other])
}

fn all_of(symbols: &Kallsyms, name: &str) -> Vec<KernelFunction> {
    let ambiguous = symbols.count_functions(name) > 1;
    let code = symbols.find_all(name).filter(Symbol::is_code);
    code.map(|symbol| KernelFunction { name: name.to_owned(), address: symbol.address, ambiguous }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols() -> Kallsyms {
        let text = "1 t vfs_read\n2 t fts.isra.0\n3 t dup\n4 t dup\n5 T kmalloc_noprof\n6 t half.part.0\n7 d data\n";
        Kallsyms::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn names_are_completed() {
        let symbols = symbols();
        let find = |name| find(&symbols, name).map(|found| found.join(" "));
        assert_eq!(find("vfs_read").as_deref(), Some("vfs_read"));
        assert_eq!(find("fts").as_deref(), Some("fts.isra.0"));
        assert_eq!(find("kmalloc").as_deref(), Some("kmalloc_noprof"));
        assert_eq!(find("half"), None, "a part is not the function");
        assert_eq!(find("data"), None);
    }

    #[test]
    fn functions_of_one_name_are_told_apart_by_address() {
        let both = all_of(&symbols(), "dup");
        assert_eq!(both.iter().map(|function| function.address).collect::<Vec<_>>(), [3, 4]);
        assert!(both.iter().all(|function| function.ambiguous));
    }
}
