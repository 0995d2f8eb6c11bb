// SPDX-License-Identifier: Apache-2.0
//! Why a function cannot be traced, as data and as an error.

use crate::digits::thousands;
use crate::error::Error;
use crate::kernel::release::Release;
use crate::suggest;

/// Why a function cannot be traced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No symbol has this name.
    NoSuchFunction {
        /// What may have been meant.
        similar: Vec<String>,
    },
    /// The compiler gave the function other names (`NAME.isra.0`).
    Renamed {
        /// The names there are.
        variants: Vec<String>,
    },
    /// The symbol is data.
    NotCode,
    /// The kernel refuses kprobes there.
    Blacklisted,
    /// The code runs while the kernel starts and is gone afterwards.
    InitCode,
    /// The function tracer has no hook in it.
    NotHookable,
}

/// A function that cannot be traced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untraceable {
    /// The name as it was given.
    pub name: String,
    /// Why.
    pub reason: Reason,
    /// How many symbols were looked through.
    pub searched: usize,
    /// How many kernel modules have symbols among them.
    pub kernel_modules: usize,
}

impl Untraceable {
    /// The error to report; `what` is the first half of its headline (``cannot attach kprobe to `vfs_raed` ``).
    pub fn error(&self, what: impl Into<String>) -> Error {
        let error = Error::machine(what, self.why());
        match &self.reason {
            Reason::NoSuchFunction { similar } => {
                let error = error.with_errno(libc::ENOENT).with_evidence(self.searched());
                match suggest::similar_line(similar) {
                    Some(line) => error.with_hint(line),
                    None => error,
                }
            }
            Reason::Renamed { variants } => {
                let shown = &variants[..variants.len().min(suggest::LIMIT)];
                error.with_errno(libc::ENOENT).with_hint(format!("attach to `{}`", shown.join("` or `")))
            }
            Reason::NotCode => error.with_errno(libc::EINVAL),
            Reason::Blacklisted => error.with_errno(libc::EINVAL).with_note(
                "the kernel allows no probes in the code that runs probes, interrupts and entries to the kernel",
            ),
            Reason::InitCode => error.with_errno(libc::EINVAL),
            Reason::NotHookable => error
                .with_errno(libc::EINVAL)
                .with_evidence("it is not in tracefs's available_filter_functions")
                .with_note(
                    "functions marked `notrace` and those the compiler made without a hook are not listed there",
                ),
        }
    }

    /// The reason in words.
    fn why(&self) -> String {
        let release = &Release::running().name;
        match &self.reason {
            Reason::NoSuchFunction { .. } => format!("no such function in this kernel ({release})"),
            Reason::Renamed { .. } => format!("in this kernel ({release}) the compiler renamed it"),
            Reason::NotCode => "it is data, not a function".to_owned(),
            Reason::Blacklisted => "it exists but is on the kprobe blacklist".to_owned(),
            Reason::InitCode => "it runs while the kernel starts and its code is gone afterwards".to_owned(),
            Reason::NotHookable => "it exists but the kernel's function tracer cannot hook it".to_owned(),
        }
    }

    fn searched(&self) -> String {
        let modules = match self.kernel_modules {
            0 => String::new(),
            1 => ", 1 loaded kernel module".to_owned(),
            count => format!(", {} loaded kernel modules", thousands(count as u64)),
        };
        format!("searched: {} kallsyms names{modules}", thousands(self.searched as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(reason: Reason) -> String {
        let untraceable = Untraceable { name: "f".to_owned(), reason, searched: 201_334, kernel_modules: 118 };
        untraceable.error("cannot attach kprobe to `f`").report()
    }

    #[test]
    fn a_missing_function() {
        let similar = vec!["g".to_owned(), "h".to_owned()];
        let release = &Release::running().name;
        let expected = format!(
            "error: cannot attach kprobe to `f`: no such function in this kernel ({release}) (ENOENT)\n  \
             searched: 201,334 kallsyms names, 118 loaded kernel modules\n\
             hint: similar: g, h\n"
        );
        assert_eq!(report(Reason::NoSuchFunction { similar }), expected);
        assert!(!report(Reason::NoSuchFunction { similar: Vec::new() }).contains("hint"));
    }

    #[test]
    fn the_other_reasons() {
        let variants = vec!["f.isra.0".to_owned(), "f.part.0".to_owned()];
        assert!(report(Reason::Renamed { variants }).ends_with("hint: attach to `f.isra.0` or `f.part.0`\n"));
        assert!(report(Reason::Blacklisted).contains("exists but is on the kprobe blacklist (EINVAL)"));
        assert!(report(Reason::NotHookable).contains("available_filter_functions"));
        assert!(report(Reason::InitCode).contains("gone afterwards"));
        assert!(report(Reason::NotCode).contains("it is data"));
    }

    #[test]
    fn counts_are_readable() {
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
