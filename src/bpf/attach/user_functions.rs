// SPDX-License-Identifier: Apache-2.0
//! The functions of a program or library by regular expression, and probes on all of them.

use std::fs::File;
use std::path::{Path, PathBuf};

use object::{Object as _, ObjectSymbol as _, SymbolKind};
use regex::Regex;

use super::kprobe::{probe_limit, told_limit};
use super::{UprobePlace, UprobeTarget, library, uprobe_file};
use crate::bpf::object::Object;
use crate::bpf::probe::{ManyUprobes, ProbeId};
use crate::bpf::program::LoadAs;
use crate::error::{Error, Result};
use crate::kernel::features::{Feature, supports};
use crate::symbolize::elf::FileBytes;

/// A function of a user program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UserFunction {
    /// Its offset in the file.
    pub offset: u64,
    /// Its address as the symbol tables have it, which is what `attach_uprobe{addr = …}` takes.
    pub address: u64,
    /// Its first name in the symbol tables.
    pub name: String,
}

/// The file that a user's name for a program or library stands for.
pub fn find_user_file(name: &str, pid: Option<i32>) -> Result<PathBuf> {
    library::find(name, pid, &format!("cannot find `{name}`"))
}

/// The functions of a file whose names the regular expression matches from their start, as in bcc; each place once,
/// in the order of their offsets.
pub fn user_functions(name: &str, pid: Option<i32>, pattern: &str) -> Result<Vec<UserFunction>> {
    let what = format!("cannot list the functions of `{name}`");
    let regex = Regex::new(&format!("^(?:{pattern})")).map_err(|err| {
        Error::script(format!("`{pattern}` is not a regular expression"), err.to_string().replace('\n', " "))
    })?;
    in_file(&library::find(name, pid, &what)?, &regex, &what)
}

fn in_file(path: &Path, regex: &Regex, what: &str) -> Result<Vec<UserFunction>> {
    let bytes = File::open(path).and_then(|file| FileBytes::of(&file)).map_err(|err| Error::io(what, &err))?;
    let file = object::File::parse(&*bytes)
        .map_err(|err| Error::script(what, "it is not a program or library").with_evidence(err.to_string()))?;
    let symbols = file.symbols().chain(file.dynamic_symbols());
    let functions = symbols.filter(|symbol| !symbol.is_undefined() && symbol.kind() == SymbolKind::Text);
    let mut found: Vec<UserFunction> = functions
        .filter(|symbol| !uprobe_file::is_indirect(symbol))
        .filter_map(|symbol| {
            let name = symbol.name().ok().filter(|name| regex.is_match(name))?;
            let address = symbol.address();
            let offset = uprobe_file::in_file(&file, address)?;
            Some(UserFunction { offset, address, name: name.to_owned() })
        })
        .collect();
    found.sort();
    found.dedup_by_key(|function| function.offset);
    Ok(found)
}

impl Object {
    /// Attaches a function to every function of a program or library that matches, through one link where the kernel has such
    /// links, else one by one. None is attached when one fails.
    pub fn attach_uprobes(&mut self, target: &UprobeTarget, pattern: &str, function: &str) -> Result<Vec<ProbeId>> {
        let mut found = user_functions(&target.name, target.pid, pattern)?;
        if target.retprobe {
            // Where a program starts, nothing returns.
            let path = find_user_file(&target.name, target.pid)?;
            let entry = uprobe_file::entry_offset(&path);
            found.retain(|function| Some(function.offset) != entry);
        }
        let what = format!("cannot attach `{function}` to `{}:/{pattern}/`", target.name);
        if found.is_empty() {
            let error = Error::script(what, "no function of this file matches").with_errno(libc::ENOENT);
            return Err(error.with_note("the expression must match from the name's start"));
        }
        let limit = probe_limit();
        if found.len() > 1 && told_limit().is_none_or(|limit| found.len() <= limit) {
            let (target, pattern, functions) = (target.clone(), pattern.to_owned(), found.clone());
            let many = ManyUprobes { target, pattern, functions, session: false, load_as: LoadAs::UprobeMulti };
            // What is wrong with a function comes out when each is attached by itself.
            if supports(Feature::UprobeMulti).is_supported()
                && let Ok(probe) = self.attach_many(many, function)?
            {
                return Ok(vec![probe]);
            }
        }
        if found.len() > limit {
            let why = format!("it stands for {} functions; uprobes one by one are limited to {limit}", found.len());
            return Err(Error::script(what, why).with_hint("narrow the regular expression"));
        }
        let mut probes = Vec::new();
        for one in found {
            // Several may have one name: each file of a program has its own `static` functions.
            let target = UprobeTarget { place: UprobePlace::Function(one.name, one.address), ..target.clone() };
            match self.attach_uprobe(&target, function) {
                Ok(probe) => probes.push(probe),
                Err(error) => {
                    self.detach_probes(&probes);
                    return Err(error);
                }
            }
        }
        Ok(probes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_the_c_library() {
        let found = user_functions("c", None, "getp[ip]").unwrap();
        let names: Vec<&str> = found.iter().map(|function| function.name.as_str()).collect();
        assert!(names.contains(&"getpid") && names.contains(&"getppid"), "{names:?}");
        assert!(names.iter().all(|name| name.starts_with("getp")), "{names:?}");
        assert!(user_functions("c", None, "no_such_function_").unwrap().is_empty());
        let err = user_functions("c", None, "(").unwrap_err();
        assert!(err.to_string().contains("`(` is not a regular expression"), "{err}");
        assert!(user_functions("/etc/passwd", None, "x").unwrap_err().why().contains("not a program"));
    }
}
