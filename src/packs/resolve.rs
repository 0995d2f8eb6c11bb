// SPDX-License-Identifier: Apache-2.0
//! Which version of each pack is used: one for each name, such that all that need it are content. Newer versions are tried first,
//! ways that end nowhere are taken back.

use std::collections::BTreeMap;

use semver::{Version, VersionReq};

use super::source::Source;
use crate::error::{Error, Result};

/// That a pack is needed, by whom, in which versions.
#[derive(Clone, Debug)]
pub struct Need {
    /// The pack that is needed.
    pub name: String,
    /// The versions that will do; none: any, pre-releases too.
    pub versions: Option<VersionReq>,
    /// Who needs it, as the reader knows it: "`tcp` 1.0.0".
    pub by: String,
    /// Where it is, when the one who needs it says so.
    pub source: Option<Source>,
    /// Where the one who needs it came from: others may lie beside.
    pub beside: Option<Source>,
}

impl Need {
    /// Whether a version will do.
    pub fn admits(&self, version: &Version) -> bool {
        self.versions.as_ref().is_none_or(|versions| versions.matches(version))
    }

    fn text(&self) -> String {
        let versions = self.versions.as_ref().map_or_else(|| "any version".to_owned(), VersionReq::to_string);
        format!("{} needs `{}` {versions}", self.by, self.name)
    }
}

/// What versions there are, and what each of them needs.
pub trait Offers {
    /// The versions of a pack in the order in which they are to be tried.
    fn versions(&mut self, need: &Need) -> Result<Vec<Version>>;
    /// What a version of a pack needs.
    fn needs(&mut self, name: &str, version: &Version) -> Result<Vec<Need>>;
    /// Where versions of a pack were looked for.
    fn looked(&self, name: &str) -> Vec<String> {
        let _ = name;
        Vec::new()
    }
}

/// A version for each pack that the first needs name, and for those that they need. `standing` are needs that hold for the packs
/// chosen, but ask for none themselves: those of what is installed.
pub fn resolve(first: Vec<Need>, standing: &[Need], offers: &mut dyn Offers) -> Result<BTreeMap<String, Version>> {
    let mut search = Search { standing, offers, chosen: BTreeMap::new(), needs: first, conflict: None };
    if search.from(0)? {
        return Ok(search.chosen);
    }
    let conflict = search.conflict.unwrap_or_default();
    let error =
        Error::script(format!("cannot choose a version of `{}`", conflict.name), "there is none that all will take");
    let error = conflict.needs.iter().fold(error, |error, need| error.with_evidence(need.clone()));
    let versions: Vec<_> = conflict.versions.iter().map(Version::to_string).collect();
    let there = if versions.is_empty() {
        "no version was found".to_owned()
    } else {
        format!("there is: {}", versions.join(", "))
    };
    let looked = search.offers.looked(&conflict.name);
    let error = error.with_evidence(there);
    Err(if looked.is_empty() { error } else { error.with_evidence(format!("looked in: {}", looked.join(", "))) })
}

#[derive(Debug, Default)]
struct Conflict {
    name: String,
    needs: Vec<String>,
    versions: Vec<Version>,
    depth: usize,
}

struct Search<'a> {
    standing: &'a [Need],
    offers: &'a mut dyn Offers,
    chosen: BTreeMap<String, Version>,
    needs: Vec<Need>,
    /// The one that was met furthest on the way.
    conflict: Option<Conflict>,
}

impl Search<'_> {
    /// Meets the needs from this one on.
    fn from(&mut self, at: usize) -> Result<bool> {
        let Some(need) = self.needs.get(at).cloned() else { return Ok(true) };
        if let Some(version) = self.chosen.get(&need.name) {
            if need.admits(version) {
                return self.from(at + 1);
            }
            let versions = vec![version.clone()];
            self.note(&need.name, versions, at);
            return Ok(false);
        }
        let versions = self.offers.versions(&need)?;
        let all: Vec<Need> =
            self.needs.iter().chain(self.standing).filter(|other| other.name == need.name).cloned().collect();
        for version in versions.iter().filter(|version| all.iter().all(|need| need.admits(version))) {
            let more = self.offers.needs(&need.name, version)?;
            let before = self.needs.len();
            self.needs.extend(more);
            self.chosen.insert(need.name.clone(), version.clone());
            if self.from(at + 1)? {
                return Ok(true);
            }
            self.needs.truncate(before);
            self.chosen.remove(&need.name);
        }
        self.note(&need.name, versions, at);
        Ok(false)
    }

    fn note(&mut self, name: &str, versions: Vec<Version>, depth: usize) {
        if self.conflict.as_ref().is_some_and(|known| known.depth >= depth) {
            return;
        }
        let all = self.needs.iter().chain(self.standing).filter(|need| need.name == name);
        let mut needs: Vec<String> = all.map(Need::text).collect();
        needs.dedup();
        self.conflict = Some(Conflict { name: name.to_owned(), needs, versions, depth });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a 1.0.0: b ^1, c ^2`, a line each, the newest first.
    struct Table(Vec<(String, Version, Vec<Need>)>);

    fn need(text: &str, by: &str) -> Need {
        let (name, versions) = text.trim().split_once(' ').unwrap();
        let versions = Some(VersionReq::parse(versions).unwrap());
        Need { name: name.to_owned(), versions, by: by.to_owned(), source: None, beside: None }
    }

    impl Table {
        fn new(lines: &[&str]) -> Table {
            let parse = |line: &&str| {
                let (pack, needs) = line.split_once(':').unwrap();
                let (name, version) = pack.split_once(' ').unwrap();
                let needs = needs.split(';').filter(|need| !need.trim().is_empty());
                let needs = needs.map(|text| need(text, &format!("`{name}` {version}"))).collect();
                (name.to_owned(), Version::parse(version).unwrap(), needs)
            };
            Table(lines.iter().map(parse).collect())
        }
    }

    impl Offers for Table {
        fn versions(&mut self, need: &Need) -> Result<Vec<Version>> {
            Ok(self.0.iter().filter(|(name, ..)| *name == need.name).map(|(_, version, _)| version.clone()).collect())
        }

        fn needs(&mut self, name: &str, version: &Version) -> Result<Vec<Need>> {
            Ok(self.0.iter().find(|one| one.0 == name && one.1 == *version).unwrap().2.clone())
        }
    }

    fn solve(first: &[&str], standing: &[&str], table: &[&str]) -> std::result::Result<String, String> {
        let first = first.iter().map(|text| need(text, "you")).collect();
        let standing: Vec<_> = standing.iter().map(|text| need(text, "`old` 1.0.0")).collect();
        let chosen = resolve(first, &standing, &mut Table::new(table)).map_err(|error| error.report())?;
        Ok(chosen.iter().map(|(name, version)| format!("{name} {version}")).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn the_newest_that_all_will_take_is_chosen() {
        let table = ["a 1.0.0: b ^1; c *", "b 1.5.0:", "b 1.2.0:", "c 2.0.0: b >=2", "c 1.0.0: b <1.4", "b 2.0.0:"];
        assert_eq!(solve(&["a *"], &[], &table).unwrap(), "a 1.0.0, b 1.2.0, c 1.0.0");
        assert_eq!(solve(&["b *"], &[], &table).unwrap(), "b 1.5.0");
        assert_eq!(solve(&["b *"], &["b ~1.2"], &table).unwrap(), "b 1.2.0");
        assert_eq!(solve(&["a *", "c ^1"], &["x 9"], &table).unwrap(), "a 1.0.0, b 1.2.0, c 1.0.0");
    }

    #[test]
    fn circles_end() {
        assert_eq!(solve(&["a *"], &[], &["a 1.0.0: b *", "b 1.0.0: a ^1"]).unwrap(), "a 1.0.0, b 1.0.0");
    }

    #[test]
    fn what_cannot_be_is_told_with_all_who_want_it() {
        let told = solve(&["a *"], &["b ^2"], &["a 1.0.0: b ^1", "b 1.0.0:", "b 2.0.0:"]).unwrap_err();
        assert_eq!(
            told,
            "error: cannot choose a version of `b`: there is none that all will take\n  `a` 1.0.0 needs `b` ^1\n  \
             `old` 1.0.0 needs `b` ^2\n  there is: 1.0.0, 2.0.0\n"
        );
        let told = solve(&["a *"], &[], &["a 1.0.0: b ^1"]).unwrap_err();
        assert!(told.contains("`a` 1.0.0 needs `b` ^1\n  no version was found\n"), "{told}");
    }
}
