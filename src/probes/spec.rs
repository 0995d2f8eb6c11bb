// SPDX-License-Identifier: Apache-2.0
//! Probes as they are written: `kprobe:vfs_*`, `tracepoint:sched:sched_switch`, `uprobe:/bin/bash:readline`.

use super::kind::Kind;
use crate::error::{Error, Result};
use crate::suggest;

/// A probe as the user wrote it; the parts may hold wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Its kind.
    pub kind: Kind,
    /// What follows the kind, cut as the kind wants it.
    pub place: Place,
    /// The whole, with the kind's full name.
    pub text: String,
}

/// Where a probe is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the kinds' forms say it")]
pub enum Place {
    /// A function of the kernel; `offset` in bytes from its start.
    Function { module: Option<String>, name: String, offset: u64 },
    /// A tracepoint; a raw one may lack the category.
    Event { category: Option<String>, name: String },
    /// A function of a program or library.
    User { path: String, name: String, offset: u64 },
    /// A USDT probe.
    Usdt { path: String, provider: Option<String>, name: String },
    /// A perf event, and after how many of them a sample is taken.
    Counter { name: String, period: Option<u64> },
    /// A clock: ticks per second, or nanoseconds between ticks.
    Clock { hertz: Option<u64>, nanoseconds: Option<u64> },
}

impl Spec {
    /// Takes a probe apart. `what` is the headline of an error.
    pub fn parse(text: &str, what: &str) -> Result<Spec> {
        let text = text.trim();
        let Some((kind_name, rest)) = text.split_once(':') else {
            return Err(no_kind(text, what));
        };
        let Some(kind) = Kind::from_name(kind_name) else {
            return Err(unknown_kind(kind_name, what));
        };
        let malformed = || {
            let why = format!("`{text}` is not of the form `{}`", kind.form());
            Error::script(what, why)
        };
        if rest.is_empty() {
            return Err(malformed());
        }
        let place = Place::parse(kind, rest).ok_or_else(malformed)?;
        Ok(Spec { kind, place, text: format!("{}:{rest}", kind.name()) })
    }
}

impl Place {
    fn parse(kind: Kind, rest: &str) -> Option<Place> {
        match kind {
            Kind::Kprobe | Kind::Kretprobe | Kind::Fentry | Kind::Fexit => {
                let (module, function) = match rest.split_once(':') {
                    Some((module, function)) => (Some(module.to_owned()), function),
                    None => (None, rest),
                };
                let (name, offset) = with_offset(function)?;
                (!name.is_empty() && (offset == 0 || kind == Kind::Kprobe)).then_some(())?;
                Some(Place::Function { module, name, offset })
            }
            Kind::Tracepoint => {
                let (category, name) = rest.split_once(':')?;
                (!category.is_empty() && !name.is_empty()).then_some(())?;
                Some(Place::Event { category: Some(category.to_owned()), name: name.to_owned() })
            }
            Kind::RawTracepoint => {
                let (category, name) = match rest.split_once(':') {
                    Some((category, name)) => (Some(category.to_owned()), name),
                    None => (None, rest),
                };
                Some(Place::Event { category, name: name.to_owned() })
            }
            Kind::Uprobe | Kind::Uretprobe => {
                let (path, function) = rest.split_once(':')?;
                let (name, offset) = with_offset(function)?;
                (!path.is_empty() && !name.is_empty()).then_some(())?;
                Some(Place::User { path: path.to_owned(), name, offset })
            }
            Kind::Usdt => {
                let (path, probe) = rest.split_once(':')?;
                let (provider, name) = match probe.split_once(':') {
                    Some((provider, name)) => (Some(provider.to_owned()).filter(|name| !name.is_empty()), name),
                    None => (None, probe),
                };
                (!path.is_empty() && !name.is_empty()).then_some(())?;
                Some(Place::Usdt { path: path.to_owned(), provider, name: name.to_owned() })
            }
            Kind::Software | Kind::Hardware => {
                let (name, period) = match rest.split_once(':') {
                    Some((name, count)) => (name, Some(count.parse().ok().filter(|count| *count > 0)?)),
                    None => (rest, None),
                };
                Some(Place::Counter { name: name.to_owned(), period })
            }
            Kind::Profile | Kind::Interval => clock(rest),
        }
    }
}

/// `vfs_read+0x12`
fn with_offset(function: &str) -> Option<(String, u64)> {
    match function.split_once('+') {
        None => Some((function.to_owned(), 0)),
        Some((name, offset)) => {
            let number = match offset.strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16).ok()?,
                None => offset.parse().ok()?,
            };
            Some((name.to_owned(), number))
        }
    }
}

/// `hz:99`, `s:1`, `ms:10`, `us:500`
fn clock(rest: &str) -> Option<Place> {
    let (unit, number) = rest.split_once(':')?;
    let number: u64 = number.parse().ok().filter(|number| *number > 0)?;
    let scale = match unit {
        "hz" => return Some(Place::Clock { hertz: Some(number), nanoseconds: None }),
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" => 1_000,
        _ => return None,
    };
    Some(Place::Clock { hertz: None, nanoseconds: Some(number.checked_mul(scale)?) })
}

fn no_kind(text: &str, what: &str) -> Error {
    let why = format!("`{text}` does not say what kind of probe it is");
    Error::script(what, why).with_evidence(forms()).with_hint(format!("a function of the kernel is `kprobe:{text}`"))
}

fn unknown_kind(name: &str, what: &str) -> Error {
    let error = Error::script(what, format!("there is no kind of probe `{name}`"));
    let known = Kind::ALL.into_iter().flat_map(|kind| kind.names().iter().copied()).filter(|name| name.len() > 2);
    let error = match suggest::nearest(name, known).first() {
        Some(near) => error.with_hint(format!("did you mean `{near}`?")),
        None => error,
    };
    error.with_evidence(forms())
}

fn forms() -> String {
    let forms: Vec<&str> = Kind::ALL.into_iter().map(Kind::form).collect();
    format!("probes are written {}", forms.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Spec::parse(text, "x").unwrap().place
    }

    fn function(module: Option<&str>, name: &str, offset: u64) -> Place {
        Place::Function { module: module.map(str::to_owned), name: name.to_owned(), offset }
    }

    #[test]
    fn kinds_by_long_and_short_names() {
        assert_eq!(Spec::parse("k:vfs_*", "x").unwrap().text, "kprobe:vfs_*");
        assert_eq!(place("kprobe:vfs_read+0x10"), function(None, "vfs_read", 16));
        assert_eq!(place("kfunc:fuse:fuse_open"), function(Some("fuse"), "fuse_open", 0));
        assert_eq!(
            place("t:sched:sched_switch"),
            Place::Event { category: Some("sched".to_owned()), name: "sched_switch".to_owned() }
        );
        assert_eq!(place("rt:sys_enter"), Place::Event { category: None, name: "sys_enter".to_owned() });
        assert_eq!(
            place("uprobe:/bin/bash:readline"),
            Place::User { path: "/bin/bash".to_owned(), name: "readline".to_owned(), offset: 0 }
        );
        let usdt = |provider: Option<&str>| Place::Usdt {
            path: "/a".to_owned(),
            provider: provider.map(str::to_owned),
            name: "n".to_owned(),
        };
        assert_eq!(
            (place("usdt:/a:p:n"), place("usdt:/a::n"), place("U:/a:n")),
            (usdt(Some("p")), usdt(None), usdt(None))
        );
        assert_eq!(
            place("software:page-faults:100"),
            Place::Counter { name: "page-faults".to_owned(), period: Some(100) }
        );
        assert_eq!(place("profile:hz:99"), Place::Clock { hertz: Some(99), nanoseconds: None });
        assert_eq!(place("i:ms:10"), Place::Clock { hertz: None, nanoseconds: Some(10_000_000) });
    }

    #[test]
    fn what_is_wrong_is_said() {
        let report = |text: &str| Spec::parse(text, "cannot count").unwrap_err().report();
        assert!(report("vfs_read").contains("a function of the kernel is `kprobe:vfs_read`"));
        assert!(report("kprob:vfs_read").contains("did you mean `kprobe`?"), "{}", report("kprob:vfs_read"));
        for bad in ["kprobe:", "kretprobe:f+1", "tracepoint:sched", "uprobe:/x", "profile:hz:0", "profile:99", "s:x:y"]
        {
            assert!(report(bad).contains("is not of the form"), "{bad}");
        }
    }
}
