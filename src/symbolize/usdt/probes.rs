// SPDX-License-Identifier: Apache-2.0
//! The probes of one file or of all files of a process, by name.

use std::collections::HashMap;
use std::path::PathBuf;

use super::file::{Location, UsdtFile};
use crate::error::{Error, Result};
use crate::suggest;

/// A probe: all notes of one provider and name, in whatever files they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsdtProbe {
    /// The provider's name.
    pub provider: String,
    /// The probe's name.
    pub name: String,
    /// The file and the number of the note in it, for each location.
    places: Vec<(usize, usize)>,
}

impl UsdtProbe {
    /// `provider:name`
    pub fn full_name(&self) -> String {
        format!("{}:{}", self.provider, self.name)
    }

    /// How many locations it has.
    pub fn count(&self) -> usize {
        self.places.len()
    }
}

/// The probes of some files.
#[derive(Debug, Default)]
pub struct Probes {
    /// The files that have any, in the order given.
    files: Vec<UsdtFile>,
    probes: Vec<UsdtProbe>,
    /// What the probes were looked for in, for people: `./server`, `process 12`.
    source: String,
    /// How many files were read.
    searched: usize,
}

impl Probes {
    /// Collects the probes of files that were read. `source` is what the user named.
    pub fn new(files: Vec<UsdtFile>, source: impl Into<String>) -> Probes {
        let searched = files.len();
        let files: Vec<UsdtFile> = files.into_iter().filter(|file| !file.notes.is_empty()).collect();
        let mut probes: Vec<UsdtProbe> = Vec::new();
        let mut by_name: HashMap<(&str, &str), usize> = HashMap::new();
        for (at, file) in files.iter().enumerate() {
            for (note, (provider, name, _)) in file.notes.iter().enumerate() {
                let index = *by_name.entry((provider, name)).or_insert_with(|| {
                    let (provider, name) = (provider.clone(), name.clone());
                    probes.push(UsdtProbe { provider, name, places: Vec::new() });
                    probes.len() - 1
                });
                probes[index].places.push((at, note));
            }
        }
        Probes { files, probes, source: source.into(), searched }
    }

    /// All of them, in the order of the files and their notes.
    pub fn all(&self) -> &[UsdtProbe] {
        &self.probes
    }

    /// The locations of a probe, each with its file.
    pub fn locations<'a>(&'a self, probe: &'a UsdtProbe) -> impl Iterator<Item = (&'a UsdtFile, &'a Location)> {
        probe.places.iter().map(|(file, note)| (&self.files[*file], &self.files[*file].notes[*note].2))
    }

    /// The C type that holds an argument at every location, for the argument with this index from 0: the widest.
    pub fn argument_type(&self, probe: &UsdtProbe, index: usize) -> Option<String> {
        let arguments =
            self.locations(probe).filter_map(|(file, location)| file.arguments(location).into_iter().nth(index));
        // As in bcc: of several of the largest size, the first says whether it is signed.
        let widest = arguments.reduce(|widest, next| if next.size > widest.size { next } else { widest });
        widest.map(|argument| argument.c_type())
    }

    /// A probe by its name, or by `provider:name`; the provider may be given apart. `what` is the headline of an error.
    pub fn find(&self, provider: Option<&str>, name: &str, what: &str) -> Result<&UsdtProbe> {
        let (provider, name) = match (provider, name.split_once(':')) {
            (None, Some((provider, name))) => (Some(provider), name),
            (provider, _) => (provider, name),
        };
        let named: Vec<&UsdtProbe> = self.probes.iter().filter(|probe| probe.name == name).collect();
        let provided: Vec<&UsdtProbe> =
            named.iter().copied().filter(|probe| provider.is_none_or(|provider| probe.provider == provider)).collect();
        match provided[..] {
            [probe] => Ok(probe),
            [] => Err(self.not_found(provider, name, &named, what)),
            _ => {
                let names: Vec<String> = provided.iter().map(|probe| probe.full_name()).collect();
                let why = format!("{} providers in {} have a probe `{name}`", names.len(), self.source);
                Err(Error::script(what, why).with_hint(format!("say which: `{}`", names.join("` or `"))))
            }
        }
    }

    fn not_found(&self, provider: Option<&str>, name: &str, named: &[&UsdtProbe], what: &str) -> Error {
        if self.probes.is_empty() {
            let searched = match self.searched {
                0 | 1 => format!("{} has no USDT probes", self.source),
                several => format!("none of the {several} files of {} has USDT probes", self.source),
            };
            return Error::script(what, searched)
                .with_errno(libc::ENOENT)
                .with_evidence("there is no section `.note.stapsdt`");
        }
        let mut providers: Vec<&str> = self.probes.iter().map(|probe| probe.provider.as_str()).collect();
        providers.sort_unstable();
        providers.dedup();
        let listed = format!("its providers: {}", in_short(&providers));
        if let Some(provider) = provider
            && !providers.contains(&provider)
        {
            let error = Error::script(what, format!("{} has no provider `{provider}`", self.source));
            let error = error.with_errno(libc::ENOENT).with_evidence(listed);
            return match named {
                [probe, ..] => error.with_hint(format!("`{}` has a probe of this name", probe.provider)),
                [] => similar(error, &suggest::nearest(provider, providers.iter().copied())),
            };
        }
        let names: Vec<&str> = self
            .probes
            .iter()
            .filter(|probe| provider.is_none_or(|provider| probe.provider == provider))
            .map(|probe| probe.name.as_str())
            .collect();
        let of = provider
            .map_or_else(|| self.source.clone(), |provider| format!("provider `{provider}` of {}", self.source));
        let error = Error::script(what, format!("{of} has no probe `{name}`")).with_errno(libc::ENOENT);
        let near = suggest::nearest(name, names.iter().copied());
        let error = match named {
            [probe, ..] => error.with_hint(format!("`{}` has a probe of this name", probe.provider)),
            [] => similar(error, &near),
        };
        let error = if near.is_empty() { error.with_evidence(format!("it has: {}", in_short(&names))) } else { error };
        if provider.is_none() { error.with_evidence(listed) } else { error }
    }

    /// The files with probes.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.iter().map(|file| &file.path)
    }
}

fn similar(error: Error, names: &[&str]) -> Error {
    match suggest::similar_line(names) {
        Some(line) => error.with_hint(line),
        None => error,
    }
}

/// The first of many names.
fn in_short(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolize::usdt::Machine;

    fn file(path: &str, notes: &[(&str, &str, &str)]) -> UsdtFile {
        let note = |(provider, name, text): &(&str, &str, &str)| {
            let location = Location {
                address: 0x1000,
                offset: Some(0x1000),
                semaphore: 0,
                semaphore_offset: None,
                text: (*text).to_owned(),
            };
            ((*provider).to_owned(), (*name).to_owned(), location)
        };
        UsdtFile {
            path: path.into(),
            machine: Some(Machine::X86_64),
            notes: notes.iter().map(note).collect(),
            ..UsdtFile::default()
        }
    }

    fn probes() -> Probes {
        let program =
            file("/a", &[("server", "request", "-4@%eax"), ("server", "request", "8@$5"), ("server", "done", "")]);
        let library = file("/b", &[("ssl", "done", "2@%ax"), ("server", "request", "")]);
        Probes::new(vec![program, library, file("/c", &[])], "process 12")
    }

    #[test]
    fn notes_of_one_name_are_one_probe() {
        let probes = probes();
        let request = probes.find(None, "request", "x").unwrap();
        assert_eq!(request.full_name(), "server:request");
        let files: Vec<String> = probes.locations(request).map(|(file, _)| file.path.display().to_string()).collect();
        assert_eq!(files, ["/a", "/a", "/b"]);
        assert_eq!(probes.argument_type(request, 0).as_deref(), Some("uint64_t"));
        assert_eq!(probes.argument_type(request, 1), None);
        assert_eq!(probes.paths().count(), 2);
    }

    #[test]
    fn names_with_and_without_a_provider() {
        let probes = probes();
        assert_eq!(probes.find(None, "ssl:done", "x").unwrap().provider, "ssl");
        assert_eq!(probes.find(Some("ssl"), "done", "x").unwrap().provider, "ssl");
        let report = |provider, name| probes.find(provider, name, "cannot enable").unwrap_err().report();
        assert!(report(None, "done").contains("say which: `server:done` or `ssl:done`"), "{}", report(None, "done"));
        assert!(report(None, "reqest").contains("similar: request"));
        assert!(report(None, "other").contains("its providers: server, ssl"), "{}", report(None, "other"));
        assert!(report(None, "sssl:done").contains("has no provider `sssl`"));
        assert!(report(None, "ssl:request").contains("`server` has a probe of this name"));
        assert!(report(Some("ssl"), "other").contains("provider `ssl` of process 12 has no probe `other`"));
        let none = Probes::new(vec![file("/a", &[])], "`/a`").find(None, "x", "cannot").unwrap_err().report();
        assert!(none.contains("`/a` has no USDT probes"), "{none}");
    }
}
