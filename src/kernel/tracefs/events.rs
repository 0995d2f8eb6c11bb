// SPDX-License-Identifier: Apache-2.0
//! Which tracepoints there are.

use super::format::TracepointFormat;
use super::mount::Tracefs;
use crate::error::{Error, Result};
use crate::kernel::pattern;
use crate::suggest;
use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::PathBuf;

impl Tracefs {
    /// Whether there is this tracepoint.
    pub fn has_tracepoint(&self, category: &str, name: &str) -> bool {
        self.event_path(category, name).is_some_and(|path| path.join("format").exists())
    }

    /// All tracepoints as `category:name`, sorted.
    pub fn tracepoints(&self) -> Result<Vec<String>> {
        let listed = fs::read_to_string(self.root().join("available_events"));
        let mut names = match listed {
            Ok(text) => text.lines().filter(|line| line.contains(':')).map(str::to_owned).collect(),
            Err(_) => self.walk_events().map_err(|err| {
                Error::io(format!("cannot list the tracepoints in `{}`", self.root().display()), &err)
            })?,
        };
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// The tracepoints whose `category:name` the regular expression matches as a whole.
    pub fn tracepoints_matching(&self, regex: &str) -> Result<Vec<String>> {
        let regex = pattern::full_match(regex)?;
        let mut names = self.tracepoints()?;
        names.retain(|name| regex.is_match(name));
        Ok(names)
    }

    /// The format of a tracepoint's records. When there is no such tracepoint the error lists near names.
    pub fn format(&self, category: &str, name: &str) -> Result<TracepointFormat> {
        let path = self.event_path(category, name).map(|path| path.join("format"));
        match path.as_deref().map(File::open) {
            Some(Ok(file)) => TracepointFormat::parse(category, BufReader::new(file)),
            Some(Err(err)) if err.kind() != io::ErrorKind::NotFound => {
                Err(Error::io(format!("cannot read the format of tracepoint `{category}:{name}`"), &err))
            }
            _ => Err(self.no_such_tracepoint(&format!("cannot use tracepoint `{category}:{name}`"), category, name)),
        }
    }

    /// The tracepoint that the struct name of a `TRACEPOINT_PROBE` stands for (`tracepoint__cat__evt`): both parts may
    /// hold `__` themselves, so each way to split it is tried, bcc's (at the last `__`) first.
    pub fn find_by_struct_name(&self, struct_name: &str) -> Option<(String, String)> {
        let mut splits = split_struct_name(struct_name);
        splits.find(|(category, name)| self.has_tracepoint(category, name)).map(|(c, n)| (c.to_owned(), n.to_owned()))
    }

    /// The tracepoints nearest to this one, as `category:name`.
    pub fn similar_tracepoints(&self, category: &str, name: &str) -> Vec<String> {
        let known = self.tracepoints().unwrap_or_default();
        let wanted = format!("{category}:{name}");
        // The same name in another category first, then near spellings.
        let elsewhere = known.iter().filter(|known| known.split_once(':').is_some_and(|(_, event)| event == name));
        let mut similar: Vec<&str> = elsewhere.map(String::as_str).take(suggest::LIMIT).collect();
        for near in suggest::nearest(&wanted, known.iter().map(String::as_str)) {
            if similar.len() < suggest::LIMIT && !similar.contains(&near) {
                similar.push(near);
            }
        }
        similar.into_iter().map(str::to_owned).collect()
    }

    /// The error for a tracepoint that does not exist; `what` is the headline's first half.
    pub fn no_such_tracepoint(&self, what: &str, category: &str, name: &str) -> Error {
        let count = self.tracepoints().map_or(0, |names| names.len());
        let error = Error::machine(what, "no such tracepoint in this kernel")
            .with_errno(libc::ENOENT)
            .with_evidence(format!("searched: {count} tracepoints in `{}`", self.root().display()));
        match suggest::similar_line(&self.similar_tracepoints(category, name)) {
            Some(line) => error.with_hint(line),
            None => error,
        }
    }

    fn walk_events(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for category in fs::read_dir(self.root().join("events"))? {
            let category = category?;
            let Ok(events) = fs::read_dir(category.path()) else { continue };
            for event in events.flatten().filter(|event| event.path().join("format").exists()) {
                let (category, event) = (category.file_name(), event.file_name());
                names.push(format!("{}:{}", category.to_string_lossy(), event.to_string_lossy()));
            }
        }
        Ok(names)
    }

    /// The folder of a tracepoint; `None` when a part of its name is no name.
    fn event_path(&self, category: &str, name: &str) -> Option<PathBuf> {
        let is_name = |text: &str| !text.is_empty() && text != "." && text != ".." && !text.contains(['/', '\0']);
        (is_name(category) && is_name(name)).then(|| self.root().join("events").join(category).join(name))
    }
}

/// The ways to split `tracepoint__cat__evt` into category and name, bcc's (at the last `__`) first.
pub fn split_struct_name(struct_name: &str) -> impl Iterator<Item = (&str, &str)> {
    let rest = struct_name.strip_prefix("tracepoint__").unwrap_or_default();
    let splits = rest.rmatch_indices("__").map(|(at, _)| (&rest[..at], &rest[at + 2..]));
    splits.filter(|(category, name)| !category.is_empty() && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture() -> Tracefs {
        Tracefs::at(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tracefs"))
    }

    #[test]
    fn existence() {
        let tracefs = fixture();
        assert!(tracefs.has_tracepoint("irq", "softirq_entry"));
        for (category, name) in [("irq", "softirq"), ("", "x"), ("..", "events"), ("irq/..", "irq"), ("irq", "")] {
            assert!(!tracefs.has_tracepoint(category, name), "{category}:{name}");
        }
    }

    #[test]
    fn listing_and_matching() {
        let tracefs = fixture();
        let names = tracefs.tracepoints().unwrap();
        assert!(names.contains(&"sched:sched_switch".to_owned()));
        assert!(names.is_sorted());
        assert_eq!(
            tracefs.tracepoints_matching("syscalls:sys_(enter|exit)_openat").unwrap(),
            ["syscalls:sys_enter_openat", "syscalls:sys_exit_openat"]
        );
        assert!(tracefs.tracepoints_matching("sched").unwrap().is_empty());
        assert!(Tracefs::at("tests/fixtures/none").tracepoints().is_err());
    }

    #[test]
    fn every_format_becomes_a_struct_without_overlaps() {
        let tracefs = fixture();
        for tracepoint in tracefs.tracepoints().unwrap() {
            let (category, name) = tracepoint.split_once(':').unwrap();
            let format = tracefs.format(category, name).unwrap();
            let members =
                format.c_struct().lines().filter(|line| line.starts_with('\t') && !line.contains("__pad_")).count();
            assert_eq!(members, format.own_fields().count() + 1, "{tracepoint}");
        }
    }

    #[test]
    fn a_missing_tracepoint_lists_near_names() {
        let err = fixture().format("sched", "sched_swich").unwrap_err();
        let report = err.report();
        assert!(report.starts_with("error: cannot use tracepoint `sched:sched_swich`: no such tracepoint"), "{report}");
        assert!(report.contains("hint: similar: sched:sched_switch\n"), "{report}");
        assert_eq!(fixture().similar_tracepoints("net", "kfree_skb"), ["skb:kfree_skb"]);
    }

    #[test]
    fn struct_names_are_split_where_a_tracepoint_is() {
        let splits: Vec<_> = split_struct_name("tracepoint__a__b__c").collect();
        assert_eq!(splits, [("a__b", "c"), ("a", "b__c")]);
        assert_eq!(split_struct_name("tracepoint__a").count(), 0);
        assert_eq!(split_struct_name("other__a__b").count(), 0);
        let found = fixture().find_by_struct_name("tracepoint__irq__softirq_entry").unwrap();
        assert_eq!(found, ("irq".to_owned(), "softirq_entry".to_owned()));
    }

    #[test]
    fn root_every_format_of_this_kernel_is_understood() {
        let Some(tracefs) = Tracefs::find() else {
            println!("skipped: no tracefs is mounted");
            return;
        };
        for tracepoint in tracefs.tracepoints().unwrap() {
            let (category, name) = tracepoint.split_once(':').unwrap();
            let format = tracefs.format(category, name).unwrap();
            assert_eq!(format.name, name);
            let text = format.c_struct();
            assert!(format.own_fields().all(|field| text.contains(&field.name)), "{tracepoint}");
        }
    }
}
