// SPDX-License-Identifier: Apache-2.0
//! What is written down of packs: in an installed pack's folder, and in lock files.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disk;
use super::limits::Limits;
use super::tree::RECORD;
use crate::error::{Error, Result};

/// The lock file of a pack, and that of a folder of installed packs.
pub const LOCK: &str = "pack.lock";
/// The version of both forms.
const FORM: u32 = 1;

/// What bpflua noted when it installed a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The version of this form.
    pub form: u32,
    /// The pack's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it came from, as `bpflua pack install` takes it.
    pub source: String,
    /// The commit or digest that the source had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// The content hash of its files.
    pub digest: String,
    /// Whether somebody asked for it by name; otherwise another pack needed it.
    pub requested: bool,
    /// The versions that were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<String>,
    /// The commands that it gives.
    pub tools: Vec<String>,
    /// What the content hash is of, to tell which file was changed.
    pub listing: String,
}

impl Record {
    /// The record of a pack's folder; none when bpflua did not install it.
    pub fn read(folder: &Path) -> Result<Option<Record>> {
        let path = folder.join(RECORD);
        if std::fs::symlink_metadata(&path).is_err() {
            return Ok(None);
        }
        let bytes = disk::read_file(&path, &Limits::default())?;
        parse(&bytes, &path).map(Some)
    }

    /// Its text.
    pub fn text(&self) -> Result<String> {
        let whole = Record { form: FORM, ..self.clone() };
        Ok(format!(
            "# Written by `bpflua pack install`; the pack does not run when its files are others.\n{}",
            toml_of(&whole)?
        ))
    }
}

/// A pack in a lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// Its version.
    pub version: String,
    /// Where it comes from.
    pub source: String,
    /// The commit or digest that the source had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// The content hash of its files.
    pub digest: String,
    /// The names of the packs that it needs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
}

/// A lock file: packs by name, each at one version with one content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The version of this form.
    pub form: u32,
    /// In a bundle: the pack that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// The packs by name.
    #[serde(default, rename = "pack")]
    pub packs: BTreeMap<String, Locked>,
}

impl Lock {
    /// Understands the text of a lock file; `file` is what it is called in errors.
    pub fn parse(bytes: &[u8], file: &Path) -> Result<Lock> {
        let lock: Lock = parse(bytes, file)?;
        if lock.form == FORM {
            return Ok(lock);
        }
        let why = format!("it has form {}, and this bpflua knows form {FORM}", lock.form);
        Err(Error::script(format!("cannot read `{}`", file.display()), why))
    }

    /// The lock file of a folder; empty when there is none.
    pub fn read(folder: &Path) -> Result<Lock> {
        let path = folder.join(LOCK);
        match std::fs::symlink_metadata(&path) {
            Ok(_) => Lock::parse(&disk::read_file(&path, &Limits::default())?, &path),
            Err(_) => Ok(Lock::default()),
        }
    }

    /// Its text, the same for the same packs.
    pub fn text(&self) -> Result<String> {
        let whole = Lock { form: FORM, ..self.clone() };
        Ok(format!(
            "# Written by `bpflua pack`: which packs are used, at which version, with which content.\n{}",
            toml_of(&whole)?
        ))
    }
}

fn parse<T: for<'de> Deserialize<'de>>(bytes: &[u8], path: &Path) -> Result<T> {
    let what = || format!("cannot read `{}`", path.display());
    let text = std::str::from_utf8(bytes).map_err(|_| Error::script(what(), "it is no UTF-8 text"))?;
    toml::from_str(text).map_err(|error| Error::script(what(), error.message().replace('\n', "; ")))
}

fn toml_of(value: &impl Serialize) -> Result<String> {
    toml::to_string(value).map_err(|error| Error::bug("cannot write down a pack", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let locked = Locked {
            version: "1.0.0".into(),
            source: "./base".into(),
            pin: Some("abc".into()),
            digest: "sha256:00".into(),
            dependencies: vec!["x".into()],
        };
        let lock = Lock { form: FORM, root: None, packs: [("base".to_owned(), locked)].into() };
        let text = lock.text().unwrap();
        assert!(text.contains("[pack.base]\nversion = \"1.0.0\"\n"), "{text}");
        assert_eq!(Lock::parse(text.as_bytes(), Path::new("pack.lock")).unwrap(), lock);
        let record = Record { name: "base".into(), listing: "a\nb\n".into(), form: FORM, ..Record::default() };
        assert_eq!(parse::<Record>(record.text().unwrap().as_bytes(), Path::new("x")).unwrap(), record);
    }

    #[test]
    fn a_lock_file_of_another_form_is_refused() {
        let error = Lock::parse(b"form = 7\n", Path::new("pack.lock")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read `pack.lock`: it has form 7, and this bpflua knows form 1");
        assert!(
            Lock::parse(b"form = 1\nx = 1\n", Path::new("pack.lock"))
                .unwrap_err()
                .to_string()
                .contains("unknown field")
        );
    }
}
