// SPDX-License-Identifier: Apache-2.0
//! What this machine permits of packs: `/etc/bpflua/policy.toml`, which only root writes. The command line cannot loosen it.
//!
//! ```toml
//! trusted_keys = ["RWQ…"]        # keys of minisign; with this, `--key` is refused
//! require_signatures = true      # also of packs from this machine; with this, `--allow-unsigned` is refused
//! [[allow]]                      # only these packs, when there is a list
//! name = "opens"
//! digest = "sha256:…"            # and only this content
//! [limits]                       # how much a pack may hold
//! files = 2000
//! size_bytes = 67108864
//! file_bytes = 16777216
//! depth = 16
//! ```

use std::path::Path;

use serde::Deserialize;

use super::limits::Limits;
use super::trust::{Asked, Candidate, Key, Origin};
use crate::error::{Error, Result};

/// Where it is.
pub const FILE: &str = "/etc/bpflua/policy.toml";

/// A pack that may be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allowed {
    /// Its name; `*` at the end stands for any characters.
    pub name: String,
    /// The content hash that it must have; none: any.
    #[serde(default)]
    pub digest: Option<String>,
}

/// What is permitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The keys whose signatures count.
    pub trusted_keys: Option<Vec<String>>,
    /// Whether every pack has to be signed; without, those that come over a network.
    pub require_signatures: Option<bool>,
    /// The packs that may be used; without, all.
    pub allow: Option<Vec<Allowed>>,
    /// How much a pack may hold.
    pub limits: Limits,
    #[serde(skip)]
    file: String,
}

impl Policy {
    /// The machine's policy; that of a machine without the file permits what is not known to be bad.
    pub fn of_machine() -> Result<Policy> {
        Self::read(Path::new(FILE))
    }

    /// How much a pack may hold on this machine. A policy that cannot be read is told where packs are decided about.
    pub fn limits_of_machine() -> Limits {
        Self::of_machine().map(|policy| policy.limits).unwrap_or_default()
    }

    /// Reads a policy, which must be root's alone to write.
    pub fn read(path: &Path) -> Result<Policy> {
        use std::os::unix::fs::MetadataExt as _;
        let file = path.display().to_string();
        let what = || format!("cannot use the policy `{file}`");
        let about = match std::fs::metadata(path) {
            Ok(about) => about,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Policy::default()),
            Err(error) => return Err(Error::io(what(), &error)),
        };
        if about.uid() != 0 || about.mode() & 0o022 != 0 {
            let why =
                format!("others than root may write to it (owner {}, mode {:03o})", about.uid(), about.mode() & 0o777);
            return Err(Error::machine(what(), why).with_hint(format!("chown root: {file} && chmod 644 {file}")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(what(), &error))?;
        Self::parse(&text, &file)
    }

    /// Reads the text of a policy; `file` is what it is called in errors.
    pub fn parse(text: &str, file: &str) -> Result<Policy> {
        let what = format!("cannot use the policy `{file}`");
        let mut policy: Policy = super::manifest::toml(text, file, what)?;
        file.clone_into(&mut policy.file);
        policy.keys()?;
        Ok(policy)
    }

    /// The keys whose signatures count.
    pub(super) fn keys(&self) -> Result<Vec<Key>> {
        self.trusted_keys.iter().flatten().map(|key| Key::read(key)).collect()
    }

    /// Whether a pack of that origin has to be signed.
    pub(super) fn requires_signatures(&self, origin: Origin) -> bool {
        self.require_signatures.unwrap_or(origin == Origin::Remote)
    }

    /// Fails when the pack is none of those that may be used.
    pub(super) fn allows(&self, candidate: &Candidate<'_>) -> Result<()> {
        let Some(list) = &self.allow else { return Ok(()) };
        let what = || format!("cannot use pack `{}`", candidate.name);
        let named: Vec<_> = list.iter().filter(|allowed| is_of(&allowed.name, candidate.name)).collect();
        if named.is_empty() {
            return Err(Error::script(what(), format!("the policy `{}` does not allow it", self.file)));
        }
        if named.iter().any(|allowed| allowed.digest.as_deref().is_none_or(|digest| digest == candidate.digest)) {
            return Ok(());
        }
        let error = Error::script(what(), format!("the policy `{}` allows it with another content", self.file));
        Err(error.with_evidence(format!("this one is {}", candidate.digest)))
    }

    /// Fails when the command line asks for what the policy does not leave to it.
    pub(super) fn permits(&self, asked: &Asked) -> Result<()> {
        let refuse = |option: &str| {
            let why = format!("the policy `{}` does not permit it", self.file);
            Err(Error::script(format!("cannot use `{option}`"), why))
        };
        if asked.allow_unsigned && self.require_signatures == Some(true) {
            return refuse("--allow-unsigned");
        }
        if !asked.keys.is_empty() && self.trusted_keys.is_some() {
            return refuse("--key");
        }
        Ok(())
    }

    /// What somebody can do who trusts a pack that is not signed.
    pub(super) fn way_around(&self) -> String {
        match self.require_signatures {
            Some(true) => format!("the policy `{}` wants all packs signed", self.file),
            _ => "if you trust it all the same: `--allow-unsigned`".to_owned(),
        }
    }
}

fn is_of(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |head| name.starts_with(head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, name: &str, digest: &str) -> Result<()> {
        let policy = Policy::parse(text, "policy.toml").unwrap();
        let origin = Origin::Local;
        policy.allows(&Candidate { name, version: "1.0.0", digest, listing: "", signature: None, origin })
    }

    #[test]
    fn a_list_of_packs_is_all_there_is() {
        let text = "[[allow]]\nname = \"net-*\"\n[[allow]]\nname = \"opens\"\ndigest = \"sha256:1\"";
        assert!(of(text, "net-x", "sha256:9").is_ok() && of(text, "opens", "sha256:1").is_ok());
        let other = of(text, "opens", "sha256:2").unwrap_err().to_string();
        assert_eq!(other, "cannot use pack `opens`: the policy `policy.toml` allows it with another content");
        assert!(of(text, "closes", "sha256:1").is_err() && of("", "closes", "sha256:1").is_ok());
    }

    #[test]
    fn limits_are_those_of_the_policy_or_the_usual() {
        let policy = Policy::parse("[limits]\nfiles = 3", "policy.toml").unwrap();
        assert_eq!(policy.limits, Limits { files: 3, ..Limits::default() });
        assert!(Policy::parse("[limits]\nfile = 3", "policy.toml").is_err());
    }

    #[test]
    fn a_key_that_is_none_makes_no_policy() {
        assert!(Policy::parse("trusted_keys = [\"RWx\"]", "policy.toml").is_err());
        let typo = Policy::parse("trustd_keys = []", "policy.toml").unwrap_err().report();
        assert!(typo.contains("unknown field `trustd_keys`"), "{typo}");
    }
}
