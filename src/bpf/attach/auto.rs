// SPDX-License-Identifier: Apache-2.0
//! Attaching by what a function's own section or name says.

use super::multi::UprobeMulti;
use super::{IterTarget, KprobeTarget, UprobePlace, UprobeTarget, iter, tracing};
use crate::bpf::function::{Function, FunctionKind};
use crate::bpf::object::Object;
use crate::bpf::probe::ProbeId;
use crate::error::{Error, Result};
use crate::kernel::syscalls;
use crate::kernel::tracefs::{self, Tracefs};

/// What a function says it is for.
#[derive(Debug, PartialEq)]
enum Place {
    Kprobe(KprobeTarget),
    /// When the script begins to wait.
    Syscall(KprobeTarget),
    Uprobe(UprobeTarget),
    UprobeMulti(UprobeMulti),
    KprobeSession(String),
    /// `PATH:PROVIDER:NAME`
    Usdt(String),
    /// Both parts of `category__event` may hold `__`, so it is split when tracefs is at hand.
    TracepointName(String),
    Tracepoint(String),
    RawTracepoint(String),
    Tracing(String),
    Iter,
}

impl Object {
    /// Attaches a function to what its section or its prefix (`kprobe__`, `tracepoint__` …) names.
    pub fn attach_auto(&mut self, function: &str) -> Result<ProbeId> {
        match Place::of(self.function(function)?) {
            Some(Place::Kprobe(target) | Place::Syscall(target)) => self.attach_kprobe(&target, function),
            Some(Place::Uprobe(target)) => self.attach_uprobe(&target, function),
            Some(Place::UprobeMulti(target)) => self.attach_uprobe_multi(&target, function),
            Some(Place::KprobeSession(pattern)) => self.attach_kprobe_session(&pattern, function),
            Some(Place::Usdt(target)) => self.attach_usdt_section(&target, function),
            Some(Place::Tracepoint(target)) => self.attach_tracepoint(&target, function),
            Some(Place::TracepointName(name)) => self.attach_tracepoint(&split_tracepoint(&name)?, function),
            Some(Place::RawTracepoint(target)) => self.attach_raw_tracepoint(&target, function, 0),
            Some(Place::Tracing(target)) => self.attach_tracing(Some(&target), function, None),
            Some(Place::Iter) => self.attach_iter(&IterTarget::default(), function),
            None => {
                let what = format!("cannot attach `{function}` by itself");
                Err(Error::script(what, "neither its section nor its name says to what").with_hint(
                    "name it `kprobe__FUNCTION` or the like, or attach it with `b:attach_kprobe{…}` and its kin",
                ))
            }
        }
    }

    /// The functions called `syscall__NAME`, of system calls that this kernel has, that nobody attached since this was last
    /// asked. bcc leaves them to the script, whose line it mostly is to attach them; bpflua attaches those that the script
    /// did not when it begins to wait for events, so that none is attached twice and none forgotten.
    pub fn take_deferred(&mut self) -> Vec<String> {
        std::mem::take(&mut self.deferred)
    }

    /// The functions that [`attach_auto`](Object::attach_auto) can attach, in order: what `BPF{…}` attaches by itself.
    /// A section that starts with `?` says, as libbpf has it, that this is left to the host.
    pub fn auto_functions(&self) -> Vec<String> {
        let functions = self.functions().iter().filter(|function| function.autoload);
        let at_once = functions.filter(|function| Place::of(function).is_some_and(|place| !place.is_deferred()));
        at_once.map(|function| function.name.clone()).collect()
    }
}

/// The functions of an object that are attached when the script begins to wait, unless it attached them before.
pub(in crate::bpf) fn deferred(functions: &[Function]) -> Vec<String> {
    let functions = functions.iter().filter(|function| function.autoload);
    let deferred = functions.filter(|function| Place::of(function).is_some_and(|place| place.is_deferred()));
    deferred.map(|function| function.name.clone()).collect()
}

impl Place {
    fn of(function: &Function) -> Option<Place> {
        let tracing = || tracing::own_target(function).map(Place::Tracing);
        Self::of_section(function).or_else(|| Self::of_name(&function.name)).or_else(tracing)
    }

    fn of_section(function: &Function) -> Option<Place> {
        let (word, target) = function.section.trim_start_matches('?').split_once('/')?;
        let owned = target.to_owned();
        match &function.kind {
            FunctionKind::Tracepoint(Some(target)) => Some(Place::Tracepoint(target.clone())),
            FunctionKind::RawTracepoint(Some(_)) => Some(Place::RawTracepoint(owned)),
            FunctionKind::Tracing(Some(_)) => Some(Place::Tracing(owned)),
            FunctionKind::Iter(Some(target)) => iter::needs_nothing(target).then_some(Place::Iter),
            FunctionKind::Probe => match word.trim_end_matches(".s") {
                "kprobe" => Some(Place::Kprobe(kprobe(target))),
                "kretprobe" => Some(Place::Kprobe(KprobeTarget { retprobe: true, ..kprobe(target) })),
                "kprobe.multi" => Some(Place::Kprobe(KprobeTarget::matching(glob(target)))),
                "kretprobe.multi" => {
                    Some(Place::Kprobe(KprobeTarget { retprobe: true, ..KprobeTarget::matching(glob(target)) }))
                }
                "ksyscall" => Some(Place::Kprobe(KprobeTarget::function(format!("sys_{target}")))),
                "kretsyscall" => Some(Place::Kprobe(KprobeTarget {
                    retprobe: true,
                    ..KprobeTarget::function(format!("sys_{target}"))
                })),
                "kprobe.session" => Some(Place::KprobeSession(glob(target))),
                "uprobe.multi" => uprobe_multi(target, false, false),
                "uretprobe.multi" => uprobe_multi(target, true, false),
                "uprobe.session" => uprobe_multi(target, false, true),
                "uprobe" => uprobe(target, false),
                "uretprobe" => uprobe(target, true),
                "usdt" => Some(Place::Usdt(owned)),
                _ => None,
            },
            _ => None,
        }
    }

    fn is_deferred(&self) -> bool {
        matches!(self, Place::Syscall(_))
    }

    /// bcc's prefixes.
    fn of_name(name: &str) -> Option<Place> {
        let after = |prefix: &str| name.strip_prefix(prefix).filter(|rest| !rest.is_empty());
        if let Some(event) = after("kprobe__") {
            return Some(Place::Kprobe(KprobeTarget::function(event)));
        }
        if let Some(event) = after("kretprobe__") {
            return Some(Place::Kprobe(KprobeTarget { retprobe: true, ..KprobeTarget::function(event) }));
        }
        // Tools call their own functions so, too (`syscall__trace_entry_open`): those are no system calls.
        if let Some(call) = after("syscall__").filter(|call| syscalls::number(call).is_some()) {
            return Some(Place::Syscall(KprobeTarget::function(format!("sys_{call}"))));
        }
        if after("tracepoint__").is_some() {
            return Some(Place::TracepointName(name.to_owned()));
        }
        if let Some(event) = after("raw_tracepoint__") {
            return Some(Place::RawTracepoint(event.to_owned()));
        }
        None
    }
}

/// `FUNCTION` or `FUNCTION+OFFSET`
fn kprobe(target: &str) -> KprobeTarget {
    match target.split_once('+').and_then(|(name, offset)| Some((name, number(offset)?))) {
        Some((name, offset)) => KprobeTarget { offset, ..KprobeTarget::function(name) },
        None => KprobeTarget::function(target),
    }
}

/// `PATH:SYMBOL` or `PATH:SYMBOL+OFFSET`
fn uprobe(target: &str, retprobe: bool) -> Option<Place> {
    let (name, symbol) = target.rsplit_once(':')?;
    let place = match symbol.split_once('+').and_then(|(name, offset)| Some((name, number(offset)?))) {
        Some((symbol, offset)) => UprobePlace::Symbol(symbol.to_owned(), offset),
        None => UprobePlace::Symbol(symbol.to_owned(), 0),
    };
    Some(Place::Uprobe(UprobeTarget { name: name.to_owned(), place, pid: None, retprobe }))
}

/// `PATH:PATTERN`
fn uprobe_multi(target: &str, retprobe: bool, session: bool) -> Option<Place> {
    let (name, pattern) = target.rsplit_once(':')?;
    Some(Place::UprobeMulti(UprobeMulti { name: name.to_owned(), pattern: glob(pattern), retprobe, session }))
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// A glob with `*` and `?` as a regular expression.
fn glob(pattern: &str) -> String {
    regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
}

fn split_tracepoint(name: &str) -> Result<String> {
    let found = Tracefs::open()?.find_by_struct_name(name);
    // One that does not exist is refused by name when it is attached.
    let first =
        || tracefs::split_struct_name(name).next().map(|(category, event)| (category.to_owned(), event.to_owned()));
    found.or_else(first).map(|(category, event)| format!("{category}:{event}")).ok_or_else(|| {
        Error::script(
            format!("cannot attach `{name}` by itself"),
            "it is not of the form `tracepoint__category__event`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, section: &str) -> Option<Place> {
        let kind = FunctionKind::of_section(section);
        let (name, section) = (name.to_owned(), section.to_owned());
        let variants = Vec::new();
        Place::of(&Function { name, section, kind, prog_type: 0, attach_type: 0, variants, autoload: true })
    }

    #[test]
    fn prefixes_say_where() {
        assert_eq!(place("kprobe__vfs_read", "kprobe"), Some(Place::Kprobe(KprobeTarget::function("vfs_read"))));
        let returns = KprobeTarget { retprobe: true, ..KprobeTarget::function("vfs_read") };
        assert_eq!(place("kretprobe__vfs_read", "kprobe"), Some(Place::Kprobe(returns)));
        assert_eq!(place("raw_tracepoint__sys_enter", "x"), Some(Place::RawTracepoint("sys_enter".to_owned())));
        assert_eq!(place("kfunc__vmlinux__vfs_read", "fentry"), Some(Place::Tracing("vmlinux:vfs_read".to_owned())));
        assert_eq!(place("lsm__file_open", "lsm"), Some(Place::Tracing("file_open".to_owned())));
        assert_eq!(place("on_read", "kprobe"), None);
        assert_eq!(place("kprobe__", "kprobe"), None);
        let clone = Place::Syscall(KprobeTarget::function("sys_clone"));
        assert_eq!(place("syscall__clone", "kprobe"), Some(clone));
        assert_eq!(place("syscall__trace_entry_open", "kprobe"), None, "no system call");
    }

    #[test]
    fn sections_say_where() {
        let with_offset = KprobeTarget { offset: 16, ..KprobeTarget::function("vfs_read") };
        assert_eq!(place("f", "kprobe/vfs_read+0x10"), Some(Place::Kprobe(with_offset)));
        let tracepoint = Some(Place::Tracepoint("sched:sched_switch".to_owned()));
        assert_eq!(place("f", "tp/sched/sched_switch"), tracepoint);
        assert_eq!(place("f", "fentry/vfs_read"), Some(Place::Tracing("vfs_read".to_owned())));
        let Some(Place::Uprobe(target)) = place("f", "uretprobe//bin/bash:readline") else { panic!() };
        assert_eq!((target.name.as_str(), target.retprobe), ("/bin/bash", true));
        assert_eq!(place("f", "kprobe.multi/vfs_re*"), Some(Place::Kprobe(KprobeTarget::matching("vfs_re.*"))));
    }
}
