// SPDX-License-Identifier: Apache-2.0
//! How a probe that is being typed may go on.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::kind::Kind;
use super::list::counters_named;
use super::path;
use super::shape::member_declarations;
use super::spec::{Place, Spec};
use super::target::{Target, matching};
use super::user_names;
use crate::error::Result;
use crate::fuzzy;
use crate::kernel::btf;
use crate::kernel::traceable::{NamedFunction, all_functions};
use crate::kernel::tracefs::Tracefs;
use crate::symbolize::demangle;

/// A way to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What takes the place of the typed word.
    pub text: String,
    /// What it is, in few words.
    pub note: String,
}

impl Completion {
    fn new(text: impl Into<String>, note: impl Into<String>) -> Completion {
        Completion { text: text.into(), note: note.into() }
    }
}

/// Completions for a probe, and the byte of it that they begin at. `pid` is the process that user probes are for.
pub fn complete_probe(typed: &str, pid: Option<i32>, limit: usize) -> (usize, Vec<Completion>) {
    let Some((kind_name, rest)) = typed.split_once(':') else {
        let found = kinds(typed, limit);
        // A bare name is a function.
        let is_function = found.is_empty() || typed.len() > 2 && !found[0].text.starts_with(typed);
        return (0, if is_function { functions(typed, limit) } else { found });
    };
    let Some(kind) = Kind::from_name(kind_name) else { return (0, tracepoints(typed, limit)) };
    let start = kind_name.len() + 1;
    match kind {
        _ if kind.is_kernel_function() => (start, functions(rest, limit)),
        Kind::Tracepoint => (start, tracepoints(rest, limit)),
        Kind::RawTracepoint => (start, raw_tracepoints(rest, limit)),
        Kind::Software | Kind::Hardware => {
            let names = counters_named(kind);
            let found = fuzzy::best(rest, names, limit).into_iter().map(|name| Completion::new(name, "event"));
            (start, found.collect())
        }
        Kind::Profile => (start, vec![Completion::new("hz:99", "99 samples a second on each CPU")]),
        Kind::Interval => (start, vec![Completion::new("s:1", "once a second"), Completion::new("ms:100", "")]),
        _ => of_file(kind, rest, start, pid, limit),
    }
}

fn kinds(typed: &str, limit: usize) -> Vec<Completion> {
    let names = Kind::ALL.into_iter().map(Kind::name);
    let form = |name: &str| Kind::from_name(name).map_or("", Kind::form);
    fuzzy::best(typed, names, limit).into_iter().map(|name| Completion::new(format!("{name}:"), form(name))).collect()
}

/// Kernel functions whose names are like what was typed, with what they take.
pub fn functions(typed: &str, limit: usize) -> Vec<Completion> {
    let known = known_functions().iter().map(|function| (function.name.as_str(), function));
    let found = fuzzy::best_of(typed, known, limit).into_iter();
    found.map(|(name, function)| Completion::new(name, function_note(function))).collect()
}

/// All functions, read once: what comes with kernel modules later is not offered.
fn known_functions() -> &'static [NamedFunction] {
    static KNOWN: OnceLock<Vec<NamedFunction>> = OnceLock::new();
    KNOWN.get_or_init(|| all_functions().unwrap_or_default())
}

/// Reads in the background what the first completion would wait for.
pub fn prepare() {
    static PREPARED: Mutex<bool> = Mutex::new(false);
    let mut is_prepared = PREPARED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*is_prepared {
        *is_prepared = true;
        read_on_a_thread(|| {
            known_functions();
            known_tracepoints();
        });
        // What functions take is found by these, and C texts are completed with all of them.
        read_on_a_thread(|| {
            if let Ok(kernel) = btf::shared() {
                kernel.make_indexes();
            }
        });
    }
}

/// Without the thread, the first completion reads it.
fn read_on_a_thread(read: impl FnOnce() + Send + 'static) {
    let _ = std::thread::Builder::new().name("names".into()).spawn(|| btf::beside(read));
}

/// `traceable (struct file *file, char *buf)`
fn function_note(function: &NamedFunction) -> String {
    let mark = match function.is_traceable {
        Some(true) => "traceable ",
        Some(false) => "not traceable ",
        None => "",
    };
    let module = function.kernel_module.as_ref().map(|module| format!("[{module}] ")).unwrap_or_default();
    format!("{mark}{module}{}", signature(&function.name).unwrap_or_default())
}

/// A function of the kernel itself as C declares it, without its name: `(struct file *file, size_t count) -> ssize_t`.
pub fn signature(name: &str) -> Option<String> {
    let kernel = btf::shared().ok()?;
    let proto = kernel.func_by_name(name)?.proto()?;
    let params: Vec<String> = proto.params().map(|param| kernel.c_declaration(param.type_id, param.name)).collect();
    Some(format!("({}) -> {}", params.join(", "), kernel.c_type(proto.return_type)))
}

fn known_tracepoints() -> &'static [String] {
    static KNOWN: OnceLock<Vec<String>> = OnceLock::new();
    KNOWN.get_or_init(|| Tracefs::find().and_then(|tracefs| tracefs.tracepoints().ok()).unwrap_or_default())
}

/// Tracepoints, with their fields.
pub fn tracepoints(typed: &str, limit: usize) -> Vec<Completion> {
    let found = fuzzy::best(typed, known_tracepoints().iter().map(String::as_str), limit);
    found.into_iter().map(|name| Completion::new(name, fields_of_tracepoint(name))).collect()
}

fn fields_of_tracepoint(name: &str) -> String {
    let format = || {
        let (category, event) = name.split_once(':')?;
        Tracefs::find()?.format(category, event).ok()
    };
    let names = format().map(|format| format.own_fields().map(|field| field.name.clone()).collect::<Vec<_>>());
    names.map(|names| names.join(", ")).unwrap_or_default()
}

fn raw_tracepoints(typed: &str, limit: usize) -> Vec<Completion> {
    let of_the_kernel = |name: &&String| !name.starts_with("syscalls:") && !name.starts_with("ftrace:");
    let names = known_tracepoints().iter().filter(of_the_kernel).filter_map(|name| name.split_once(':'));
    let found = fuzzy::best(typed, names.map(|(_, event)| event), limit);
    let note = |name: &str| {
        let place = Place::Event { category: None, name: name.to_owned() };
        let fields = Target { kind: Kind::RawTracepoint, place }.fields(None).unwrap_or_default();
        fields.iter().map(|field| field.declaration.clone()).collect::<Vec<_>>().join(", ")
    };
    found.into_iter().map(|name| Completion::new(name, note(name))).collect()
}

/// What is in a program or library, once its path is whole.
fn of_file(kind: Kind, rest: &str, start: usize, pid: Option<i32>, limit: usize) -> (usize, Vec<Completion>) {
    let Some((file, typed)) = rest.split_once(':') else { return (start, Vec::new()) };
    let found = match kind {
        Kind::Usdt => usdt_probes(file, typed, pid, limit),
        _ => user_functions(file, typed, pid, limit),
    };
    (start + file.len() + 1, found)
}

fn user_functions(file: &str, typed: &str, pid: Option<i32>, limit: usize) -> Vec<Completion> {
    let names = user_names::functions_of(file, pid).unwrap_or_default();
    let found = fuzzy::best_of(typed, names.iter().map(|name| (name, ())), limit);
    // What the programmer called it, where the compiler has made another name of it.
    let note = |name: &str| Some(demangle(name).into_owned()).filter(|plain| plain != name);
    let completion = |name: &str| Completion::new(name, note(name).unwrap_or_else(|| "function".to_owned()));
    found.into_iter().map(|(name, ())| completion(name)).collect()
}

/// The probes of a file, or of everything that a process has mapped (`*`), with what they tell.
fn usdt_probes(file: &str, typed: &str, pid: Option<i32>, limit: usize) -> Vec<Completion> {
    let everything = Spec::parse(&format!("{}:{file}:*", Kind::Usdt.name()), "");
    let targets = everything.and_then(|spec| matching(&spec, pid, "")).unwrap_or_default();
    let name = |target: &Target| match &target.place {
        Place::Usdt { provider: Some(provider), name, .. } => format!("{provider}:{name}"),
        _ => target.short_name().to_owned(),
    };
    let mut known: Vec<(String, &Target)> = targets.iter().map(|target| (name(target), target)).collect();
    known.sort_by(|(a, _), (b, _)| a.cmp(b));
    known.dedup_by(|(a, _), (b, _)| a == b);
    let found = fuzzy::best(typed, known.iter().map(|(name, _)| name.as_str()), limit);
    let note = |found: &str| {
        let target = known.iter().find(|(name, _)| name == found).map(|(_, target)| target);
        let fields = target.and_then(|target| target.fields(pid).ok()).unwrap_or_default();
        fields.iter().map(|field| field.declaration.clone()).collect::<Vec<_>>().join(", ")
    };
    found.into_iter().map(|name| Completion::new(name, note(name))).collect()
}

/// How a name of a probe's values may go on: its fields, and behind a dot the members of the structure there. The byte of the
/// text that the completions begin at comes with them.
pub fn complete_value(
    target: &Target,
    typed: &str,
    pid: Option<i32>,
    limit: usize,
) -> Result<(usize, Vec<Completion>)> {
    let fields = target.fields(pid)?;
    let Some(at) = typed.rfind(['.', '>']) else {
        let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        let note =
            |name: &str| fields.iter().find(|field| field.name == name).map_or("", |field| field.declaration.as_str());
        let found = fuzzy::best(typed, names.iter().copied(), limit);
        return Ok((0, found.into_iter().map(|name| Completion::new(name, note(name))).collect()));
    };
    let (before, word) = (typed[..at].trim_end_matches('-'), &typed[at + 1..]);
    if before == "args" {
        let (start, found) = complete_value(target, word, pid, limit)?;
        return Ok((start + at + 1, found));
    }
    let members = path::parse(before).map_or_else(Vec::new, |_| target.members(&fields, before));
    let found = fuzzy::best(word, members.iter().map(|(name, _)| name.as_str()), limit);
    let note = |name: &str| members.iter().find(|(one, _)| one == name).map_or("", |(_, note)| note.as_str());
    Ok((at + 1, found.into_iter().map(|name| Completion::new(name, note(name))).collect()))
}

/// The members of a structure of the kernel's by its name in C (`struct file`), each with its declaration.
pub fn members_of_type(c_type: &str) -> Vec<(String, String)> {
    let Ok(kernel) = btf::shared() else { return Vec::new() };
    let name = c_type.trim_end_matches('*').trim().trim_start_matches("const ").trim();
    let (kind, name) = match name.split_once(' ') {
        Some(("struct", name)) => (btf::Kind::Struct, name),
        Some(("union", name)) => (btf::Kind::Union, name),
        _ => (btf::Kind::Typedef, name),
    };
    kernel.find(kind, name).map(|id| member_declarations(&kernel, id, 0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(typed: &str) -> Vec<String> {
        complete_probe(typed, None, 9).1.into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn kinds_come_first() {
        assert_eq!(texts("kp"), ["kprobe:"]);
        assert!(texts("u").contains(&"usdt:".to_owned()));
        assert_eq!(complete_probe("software:page", None, 9), (9, vec![Completion::new("page-faults", "event")]));
    }

    #[test]
    fn functions_of_the_kernel_and_of_libraries() {
        if btf::shared().is_err() {
            println!("skipped: this kernel has no types");
            return;
        }
        let (start, found) = complete_probe("kprobe:vfs_read", None, 9);
        assert_eq!((start, found[0].text.as_str()), (7, "vfs_read"));
        assert!(found[0].note.contains("(struct file *file, char *buf"), "{}", found[0].note);
        assert!(texts("vfs_re").contains(&"vfs_read".to_owned()));
        let (start, found) = complete_probe("uprobe:c:getpi", None, 9);
        assert_eq!(start, 9);
        assert!(found.iter().any(|one| one.text == "getpid"), "{found:?}");
        assert!(
            members_of_type("struct file *")
                .iter()
                .any(|(name, note)| name == "f_path" && note.ends_with("struct path f_path"))
        );
    }

    #[test]
    fn members_behind_arguments() {
        if btf::shared().is_err() {
            println!("skipped: this kernel has no types");
            return;
        }
        let place = Place::Function { module: None, name: "vfs_read".to_owned(), offset: 0 };
        let target = Target { kind: Kind::Kprobe, place };
        let complete = |typed: &str| {
            let (start, found) = complete_value(&target, typed, None, 9).unwrap();
            (start, found.into_iter().map(|one| one.text).collect::<Vec<_>>())
        };
        assert_eq!(complete("co"), (0, vec!["count".to_owned()]));
        let (start, found) = complete("file.f_path.den");
        assert_eq!((start, found), (12, vec!["dentry".to_owned()]));
        assert!(complete("count.x").1.is_empty());
    }

    #[test]
    fn root_tracepoints_with_fields() {
        let (start, found) = complete_probe("tracepoint:sched_swi", None, 9);
        assert_eq!((start, found[0].text.as_str()), (11, "sched:sched_switch"));
        assert!(found[0].note.contains("prev_comm"), "{}", found[0].note);
    }
}
