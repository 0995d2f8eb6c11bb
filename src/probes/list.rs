// SPDX-License-Identifier: Apache-2.0
//! Which probes there are.

use super::kind::Kind;
use super::spec::{Place, Spec};
use super::target::{Target, events, is_pattern, matching, user};
use crate::error::{Error, Result};
use crate::kernel::pattern;
use crate::kernel::traceable::{self, functions_like};
use crate::kernel::tracefs::Tracefs;

/// Events that the kernel counts in software, with their numbers.
const SOFTWARE: [(&str, u64); 10] = [
    ("cpu-clock", 0),
    ("task-clock", 1),
    ("page-faults", 2),
    ("context-switches", 3),
    ("cpu-migrations", 4),
    ("minor-faults", 5),
    ("major-faults", 6),
    ("alignment-faults", 7),
    ("emulation-faults", 8),
    ("bpf-output", 10),
];

/// Events that the processor counts, with the kernel's numbers.
const HARDWARE: [(&str, u64); 10] = [
    ("cpu-cycles", 0),
    ("instructions", 1),
    ("cache-references", 2),
    ("cache-misses", 3),
    ("branch-instructions", 4),
    ("branch-misses", 5),
    ("bus-cycles", 6),
    ("stalled-cycles-frontend", 7),
    ("stalled-cycles-backend", 8),
    ("ref-cpu-cycles", 9),
];

/// A probe in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The probe.
    pub target: Target,
    /// The kernel module that its function is of.
    pub kernel_module: Option<String>,
    /// Whether it can be traced; `None` when the machine does not tell.
    pub is_traceable: Option<bool>,
}

/// The kinds that a pattern without a kind is looked for in: each function and event of the kernel once.
const KERNEL_KINDS: [Kind; 5] = [Kind::Kprobe, Kind::Tracepoint, Kind::RawTracepoint, Kind::Software, Kind::Hardware];

/// The probes that a pattern matches, kind by kind, each kind sorted. With a kind (`kprobe:vfs_*`, `*:sched*`) the names
/// are matched whole; without one, every kernel probe is given that has the pattern's words in it. `pid` is the process
/// whose programs and libraries user probes are looked for in.
pub fn list(text: &str, pid: Option<i32>) -> Result<Vec<Listed>> {
    let what = format!("cannot list `{text}`");
    let Some((kind_name, rest)) =
        text.split_once(':').filter(|(kind, _)| is_pattern(kind) || Kind::from_name(kind).is_some())
    else {
        return everywhere(text);
    };
    if !is_pattern(kind_name) {
        return of_kind(text, pid, &what);
    }
    let kinds = pattern::glob(kind_name)?;
    let mut found = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kinds.is_match(kind.name())) {
        let named = format!("{}:{rest}", kind.name());
        // What is no place of this kind matches nothing of it.
        if Spec::parse(&named, &what).is_ok() {
            found.extend(of_kind(&named, pid, &what)?);
        }
    }
    Ok(found)
}

/// Kernel probes with these words in their names; a name with a colon is a tracepoint's.
fn everywhere(text: &str) -> Result<Vec<Listed>> {
    let glob = if is_pattern(text) { text.to_owned() } else { format!("*{text}*") };
    let mut found = Vec::new();
    for kind in KERNEL_KINDS {
        found.extend(match kind {
            Kind::Kprobe => functions(kind, None, &glob)?,
            Kind::Tracepoint => tracepoints_with(&glob)?,
            Kind::RawTracepoint => {
                events(kind, None, &glob).unwrap_or_default().into_iter().map(|p| plain(kind, p)).collect()
            }
            _ => counters(kind, &glob)?,
        });
    }
    Ok(found)
}

/// Without tracefs there are no tracepoints to list among others.
fn tracepoints_with(glob: &str) -> Result<Vec<Listed>> {
    let regex = pattern::glob(glob)?;
    let Some(tracefs) = Tracefs::find() else { return Ok(Vec::new()) };
    let known = tracefs.tracepoints()?;
    let matching = known
        .iter()
        .filter(|name| regex.is_match(name) || name.split_once(':').is_some_and(|(_, event)| regex.is_match(event)));
    let place = |name: &String| {
        let (category, event) = name.split_once(':')?;
        Some(Place::Event { category: Some(category.to_owned()), name: event.to_owned() })
    };
    Ok(matching.filter_map(place).map(|place| plain(Kind::Tracepoint, place)).collect())
}

fn of_kind(text: &str, pid: Option<i32>, what: &str) -> Result<Vec<Listed>> {
    let bare = Kind::from_name(text.trim_end_matches([':', '*']));
    if let Some(kind @ (Kind::Profile | Kind::Interval)) = bare {
        return Ok(clocks(kind));
    }
    let text = match bare {
        Some(Kind::Tracepoint) => "tracepoint:*:*".to_owned(),
        Some(kind) if text.ends_with(':') => format!("{}:*", kind.name()),
        _ => text.to_owned(),
    };
    let spec = Spec::parse(&text, what)?;
    match &spec.place {
        Place::Function { module, name, .. } => functions(spec.kind, module.as_deref(), name),
        Place::Event { category, name } => {
            let found = events(spec.kind, category.as_deref(), name)?;
            Ok(found.into_iter().map(|place| plain(spec.kind, place)).collect())
        }
        Place::Counter { name, .. } => counters(spec.kind, name),
        Place::User { path, name, offset } => {
            let found = user(path, name, *offset, pid)?;
            Ok(found.into_iter().map(|place| plain(spec.kind, place)).collect())
        }
        _ => Ok(matching(&spec, pid, what)?.into_iter().map(listed).collect()),
    }
}

fn listed(target: Target) -> Listed {
    Listed { target, kernel_module: None, is_traceable: None }
}

fn plain(kind: Kind, place: Place) -> Listed {
    listed(Target { kind, place })
}

fn functions(kind: Kind, module: Option<&str>, glob: &str) -> Result<Vec<Listed>> {
    let found = functions_like(glob)?.into_iter();
    let wanted =
        found.filter(|function| module.is_none_or(|of| function.kernel_module.as_deref().unwrap_or("vmlinux") == of));
    let listed = |function: traceable::NamedFunction| Listed {
        target: Target {
            kind,
            place: Place::Function { module: module.map(str::to_owned), name: function.name, offset: 0 },
        },
        kernel_module: function.kernel_module,
        is_traceable: function.is_traceable,
    };
    Ok(wanted.map(listed).collect())
}

fn counters(kind: Kind, glob: &str) -> Result<Vec<Listed>> {
    let regex = pattern::glob(glob)?;
    let names = if kind == Kind::Software { SOFTWARE } else { HARDWARE };
    let matching = names.into_iter().filter(|(name, _)| regex.is_match(name));
    Ok(matching.map(|(name, _)| plain(kind, Place::Counter { name: name.to_owned(), period: None })).collect())
}

fn clocks(kind: Kind) -> Vec<Listed> {
    let place = match kind {
        Kind::Profile => Place::Clock { hertz: Some(99), nanoseconds: None },
        _ => Place::Clock { hertz: None, nanoseconds: Some(1_000_000_000) },
    };
    vec![plain(kind, place)]
}

/// The names of the events that the kernel, or the processor, counts.
pub(super) fn counters_named(kind: Kind) -> impl Iterator<Item = &'static str> {
    let known = if kind == Kind::Software { SOFTWARE } else { HARDWARE };
    known.into_iter().map(|(name, _)| name)
}

/// The kernel's number of an event that it or the processor counts, by name or perf's other name for it.
pub fn counter_number(kind: Kind, name: &str, what: &str) -> Result<u64> {
    let name = match name {
        "cpu" => "cpu-clock",
        "faults" => "page-faults",
        "cs" => "context-switches",
        "cycles" => "cpu-cycles",
        "branches" => "branch-instructions",
        name => name,
    };
    let known = if kind == Kind::Software { SOFTWARE } else { HARDWARE };
    known.iter().find(|(one, _)| *one == name).map(|(_, number)| *number).ok_or_else(|| {
        let names: Vec<String> = known.iter().map(|(name, _)| (*name).to_owned()).collect();
        let why = format!("there is no {} event `{name}`", kind.name());
        super::path::unknown_name(Error::script(what, why), name, &names, "events")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        list(text, None).unwrap().iter().map(|listed| listed.target.text()).collect()
    }

    #[test]
    fn counters_and_clocks() {
        assert_eq!(names("software:page*"), ["software:page-faults"]);
        assert_eq!(names("hardware:*").len(), HARDWARE.len());
        assert_eq!(names("profile:*"), ["profile:hz:99"]);
        assert_eq!(counter_number(Kind::Software, "faults", "x").unwrap(), 2);
        let report = counter_number(Kind::Software, "page-fault", "cannot count").unwrap_err().report();
        assert!(report.contains("did you mean `page-faults`"), "{report}");
    }

    #[test]
    fn user_functions() {
        assert_eq!(names("uprobe:c:getpid"), ["uprobe:c:getpid"]);
        assert_eq!(names("uprobe:c:no_such_*"), [""; 0]);
        assert!(list("usdt:/no/such:*", None).is_err());
    }

    #[test]
    fn root_kernel_probes() {
        assert!(names("kprobe:vfs_rea*").contains(&"kprobe:vfs_read".to_owned()));
        assert_eq!(names("tracepoint:sched:sched_switch"), ["tracepoint:sched:sched_switch"]);
        let found = names("sched_switch");
        assert!(found.contains(&"tracepoint:sched:sched_switch".to_owned()), "{found:?}");
        assert!(found.contains(&"rawtracepoint:sched_switch".to_owned()), "{found:?}");
        let kinds = names("*tracepoint:sched_switch");
        assert_eq!(kinds, ["rawtracepoint:sched_switch"]);
    }
}
