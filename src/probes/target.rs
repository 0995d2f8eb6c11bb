// SPDX-License-Identifier: Apache-2.0
//! The single probes that a probe with wildcards stands for.

use super::kind::Kind;
use super::spec::{Place, Spec};
use crate::bpf::{UsdtSource, user_functions};
use crate::error::{Error, Result};
use crate::kernel::tracefs::Tracefs;
use crate::kernel::{pattern, traceable};

/// One probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its kind.
    pub kind: Kind,
    /// Where it is; no part holds a wildcard.
    pub place: Place,
}

impl Target {
    /// The probe as it is written: `kprobe:vfs_read`.
    pub fn text(&self) -> String {
        format!("{}:{}", self.kind.name(), self.place)
    }

    /// What is probed, without kind, category, path or offset: `vfs_read`.
    pub fn short_name(&self) -> &str {
        match &self.place {
            Place::Function { name, .. }
            | Place::Event { name, .. }
            | Place::User { name, .. }
            | Place::Usdt { name, .. }
            | Place::Counter { name, .. } => name,
            Place::Clock { .. } => self.kind.name(),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let offset_text = |offset: &u64| if *offset == 0 { String::new() } else { format!("+{offset:#x}") };
        match self {
            Place::Function { module, name, offset } => {
                let module = module.as_ref().map(|module| format!("{module}:")).unwrap_or_default();
                write!(f, "{module}{name}{}", offset_text(offset))
            }
            Place::Event { category: Some(category), name } => write!(f, "{category}:{name}"),
            Place::Event { category: None, name } => f.write_str(name),
            Place::User { path, name, offset } => write!(f, "{path}:{name}{}", offset_text(offset)),
            Place::Usdt { path, provider, name } => {
                write!(f, "{path}:{}{name}", provider.as_ref().map(|one| format!("{one}:")).unwrap_or_default())
            }
            Place::Counter { name, period: None } => f.write_str(name),
            Place::Counter { name, period: Some(period) } => write!(f, "{name}:{period}"),
            Place::Clock { hertz: Some(hertz), .. } => write!(f, "hz:{hertz}"),
            Place::Clock { nanoseconds, .. } => write!(f, "us:{}", nanoseconds.unwrap_or_default() / 1000),
        }
    }
}

/// Whether a name stands for several.
pub fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// The probes that a spec stands for, at least one. What has no wildcard is taken as it is, but for tracepoints, whose
/// records programs are compiled for: attaching tells best why it cannot be. `pid` is the process that user probes are for; `what` the headline of an error.
pub fn expand(spec: &Spec, pid: Option<i32>, what: &str) -> Result<Vec<Target>> {
    let found = matching(spec, pid, what)?;
    if found.is_empty() {
        let error = Error::script(what, format!("no probe of this machine matches `{}`", spec.text));
        let everything = match spec.kind {
            Kind::Tracepoint => "tracepoint:*:*".to_owned(),
            kind => format!("{}:*", kind.name()),
        };
        return Err(error.with_errno(libc::ENOENT).with_hint(format!("`bpflua list '{everything}'` lists them")));
    }
    Ok(found)
}

/// The same, where none is an answer.
pub(super) fn matching(spec: &Spec, pid: Option<i32>, what: &str) -> Result<Vec<Target>> {
    let found = match &spec.place {
        Place::Function { module, name, offset } if is_pattern(name) => functions(module.as_deref(), name, *offset)?,
        Place::Event { category, name } if is_pattern(name) || category.as_deref().is_some_and(is_pattern) => {
            events(spec.kind, category.as_deref(), name)?
        }
        Place::Event { category: Some(category), name } if spec.kind == Kind::Tracepoint => {
            let tracefs = Tracefs::open()?;
            if !tracefs.has_tracepoint(category, name) {
                return Err(tracefs.no_such_tracepoint(what, category, name));
            }
            vec![spec.place.clone()]
        }
        Place::User { path, name, offset } if is_pattern(name) => user(path, name, *offset, pid)?,
        Place::Usdt { path, provider, name } => usdt(path, provider.as_deref(), name, pid, what)?,
        place => vec![place.clone()],
    };
    Ok(found.into_iter().map(|place| Target { kind: spec.kind, place }).collect())
}

fn functions(module: Option<&str>, glob: &str, offset: u64) -> Result<Vec<Place>> {
    let functions = traceable::shared()?;
    let symbols = functions.symbols();
    let of_module = |name: &str| {
        let mut owners = symbols.find_all(name).map(|symbol| symbol.kernel_module);
        module.is_none_or(|module| owners.any(|owner| owner.unwrap_or("vmlinux") == module))
    };
    let names = functions.matching_glob(glob)?.into_iter().filter(|name| of_module(name));
    let place = |name: &str| Place::Function { module: module.map(str::to_owned), name: name.to_owned(), offset };
    Ok(names.map(place).collect())
}

/// The tracepoints that match; of raw ones those that the kernel has as such: system calls have two for all.
pub fn events(kind: Kind, category: Option<&str>, glob: &str) -> Result<Vec<Place>> {
    let (category, name) = (pattern::glob(category.unwrap_or("*"))?, pattern::glob(glob)?);
    let is_raw = kind == Kind::RawTracepoint;
    let known = Tracefs::open()?.tracepoints()?;
    let parts = known.iter().filter_map(|known| known.split_once(':'));
    let matching = parts.filter(|(of, event)| {
        category.is_match(of) && name.is_match(event) && !(is_raw && matches!(*of, "syscalls" | "ftrace"))
    });
    let place =
        |(of, event): (&str, &str)| Place::Event { category: (!is_raw).then(|| of.to_owned()), name: event.to_owned() };
    Ok(matching.map(place).collect())
}

/// The functions of a program or library that match.
pub(super) fn user(path: &str, glob: &str, offset: u64, pid: Option<i32>) -> Result<Vec<Place>> {
    let regex = pattern::glob(glob)?;
    let functions = user_functions(path, pid, regex.as_str())?;
    let place = |name| Place::User { path: path.to_owned(), name, offset };
    Ok(functions.into_iter().map(|function| place(function.name)).collect())
}

/// USDT probes are looked up even without a wildcard: their provider may have been left out.
fn usdt(path: &str, provider: Option<&str>, glob: &str, pid: Option<i32>, what: &str) -> Result<Vec<Place>> {
    let any_file = path == "*";
    let source = UsdtSource { path: (!any_file).then(|| path.to_owned()), pid };
    if any_file && pid.is_none() {
        return Err(Error::script(what, "the probes of every file can be meant only of one process")
            .with_hint("give a process: the option `pid`"));
    }
    let probes = source.probes()?;
    let named = !is_pattern(glob) && provider.is_none_or(|provider| !is_pattern(provider));
    // A file without any tells so best itself.
    if named || probes.all().is_empty() {
        let probe = probes.find(provider, glob, what)?;
        return Ok(vec![usdt_place(path, probe)]);
    }
    let (provider, name) = (pattern::glob(provider.unwrap_or("*"))?, pattern::glob(glob)?);
    let found = probes.all().iter().filter(|probe| provider.is_match(&probe.provider) && name.is_match(&probe.name));
    Ok(found.map(|probe| usdt_place(path, probe)).collect())
}

fn usdt_place(path: &str, probe: &crate::symbolize::usdt::UsdtProbe) -> Place {
    Place::Usdt { path: path.to_owned(), provider: Some(probe.provider.clone()), name: probe.name.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let spec = Spec::parse(text, "x").unwrap();
        expand(&spec, None, "x").unwrap().iter().map(Target::text).collect()
    }

    #[test]
    fn what_has_no_wildcard_is_itself() {
        for text in ["kprobe:no_such+0x10", "rawtracepoint:x", "uprobe:/x:y", "software:faults:5"] {
            assert_eq!(names(text), [text]);
        }
    }

    #[test]
    fn functions_of_a_library() {
        let found = names("uprobe:c:getp[ip]d");
        assert!(found.contains(&"uprobe:c:getpid".to_owned()), "{found:?}");
        let spec = Spec::parse("uprobe:c:no_such_*", "cannot count").unwrap();
        assert!(expand(&spec, None, "cannot count").unwrap_err().report().contains("no probe of this machine matches"));
    }

    #[test]
    fn root_tracepoints_of_this_kernel() {
        let found = names("tracepoint:syscalls:sys_*_openat");
        assert_eq!(found, ["tracepoint:syscalls:sys_enter_openat", "tracepoint:syscalls:sys_exit_openat"]);
        let raw = names("rawtracepoint:sys_e*");
        assert_eq!(raw, ["rawtracepoint:sys_enter", "rawtracepoint:sys_exit"]);
    }
}
