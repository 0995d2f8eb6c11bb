// SPDX-License-Identifier: Apache-2.0
//! Functions by pattern without reading all symbols, which takes a tenth of a second: for listing and completion.

use super::lists;
use crate::error::Result;
use crate::kernel::btf::{self, Btf, Kind};
use crate::kernel::pattern;
use crate::kernel::pseudo_files::KPROBE_BLACKLIST;
use crate::kernel::tracefs::Tracefs;
use crate::kernel::{kallsyms, modules};
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::Arc;

/// A kernel function as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedFunction {
    /// Its name.
    pub name: String,
    /// The kernel module that it is of.
    pub kernel_module: Option<String>,
    /// Whether probes can be placed on it; `None` when this machine does not tell.
    pub is_traceable: Option<bool>,
}

/// The functions that a glob matches, sorted. What the function tracer lists comes first; where that cannot be read, the
/// functions that the kernel's types describe; and when neither has any, the symbols.
pub fn functions_like(glob: &str) -> Result<Vec<NamedFunction>> {
    let regex = pattern::glob(glob)?;
    let mut found = gather(glob, |name| regex.is_match(name))?;
    found.sort();
    found.dedup();
    Ok(found)
}

/// All functions, from where [`functions_like`] has them, in no order: sorting them takes longer than reading them.
pub fn all_functions() -> Result<Vec<NamedFunction>> {
    gather("*", |_| true)
}

fn gather(glob: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<NamedFunction>> {
    let mut found = match filter_list() {
        Some(text) => from_filter_list(&text, wanted),
        None => from_types(wanted),
    };
    if found.is_empty() {
        found = from_symbols(glob)?;
    }
    let blocked = blacklist();
    if !blocked.is_empty() {
        let taken = found.iter_mut().filter(|function| blocked.contains(&function.name));
        taken.for_each(|function| function.is_traceable = Some(false));
    }
    Ok(found)
}

/// The whole of `available_filter_functions`; `None` when it cannot be read or the function tracer is off.
fn filter_list() -> Option<String> {
    let mut text = String::new();
    File::open(Tracefs::find()?.available_filter_functions()).ok()?.read_to_string(&mut text).ok()?;
    (!text.is_empty()).then_some(text)
}

fn from_filter_list(list: &str, wanted: impl Fn(&str) -> bool) -> Vec<NamedFunction> {
    let functions = list.lines().filter_map(|line| {
        let name = lists::filter_function(line).filter(|name| wanted(name))?;
        let kernel_module = line.split_once('[').map(|(_, module)| module.trim_end_matches(']').to_owned());
        Some(NamedFunction { name: name.to_owned(), kernel_module, is_traceable: Some(true) })
    });
    functions.collect()
}

fn from_types(wanted: impl Fn(&str) -> bool) -> Vec<NamedFunction> {
    let Ok(kernel) = btf::shared() else { return Vec::new() };
    let mut found = functions_of(&kernel, None, &wanted);
    for module in modules::loaded() {
        if modules::btf_path(&module).is_some()
            && let Ok(split) = Btf::kernel_module(Arc::clone(&kernel), &module)
        {
            found.extend(functions_of(&split, Some(&module), &wanted));
        }
    }
    found
}

fn functions_of(btf: &Btf, module: Option<&str>, wanted: &impl Fn(&str) -> bool) -> Vec<NamedFunction> {
    let names = btf.own_names(Kind::Func).filter(|name| wanted(name));
    names
        .map(|name| NamedFunction {
            name: name.to_owned(),
            kernel_module: module.map(str::to_owned),
            is_traceable: None,
        })
        .collect()
}

/// Functions that have no types: those that the compiler split or renamed (`finish_task_switch.isra.0`).
fn from_symbols(glob: &str) -> Result<Vec<NamedFunction>> {
    let functions = super::shared()?;
    let symbols = kallsyms::shared()?;
    let named = |name: &str| NamedFunction {
        name: name.to_owned(),
        kernel_module: symbols.find(name).and_then(|symbol| symbol.kernel_module.map(str::to_owned)),
        is_traceable: functions.is_hookable(name),
    };
    Ok(functions.matching_glob(glob)?.into_iter().map(named).collect())
}

/// The functions on which the kernel takes no kprobe, as far as it tells us.
fn blacklist() -> HashSet<String> {
    let Ok(file) = KPROBE_BLACKLIST.open() else { return HashSet::new() };
    let lines = BufReader::new(file).lines().map_while(std::result::Result::ok);
    lines.filter_map(|line| lists::blacklisted(&line).map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_function_tracers_list() {
        let list = "vfs_read\nfuse_open [fuse]\nvfs_write\n";
        let found = from_filter_list(list, |name| name != "vfs_write");
        let named = |name: &str, module: Option<&str>| NamedFunction {
            name: name.to_owned(),
            kernel_module: module.map(str::to_owned),
            is_traceable: Some(true),
        };
        assert_eq!(found, [named("vfs_read", None), named("fuse_open", Some("fuse"))]);
    }

    #[test]
    fn functions_of_this_kernel() {
        match functions_like("vfs_rea*") {
            Ok(found) => {
                assert!(found.iter().any(|function| function.name == "vfs_read"), "{found:?}");
                assert!(found.is_sorted());
                let all = all_functions().unwrap();
                assert!(all.len() > found.len() && found.iter().all(|function| all.contains(function)));
            }
            Err(err) => println!("skipped: {err}"),
        }
    }
}
