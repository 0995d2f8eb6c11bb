// SPDX-License-Identifier: Apache-2.0
//! Where packs come from, as people write it: a folder, a Lua file, an archive, a git repository, an OCI registry.

use std::fmt;
use std::path::{Path, PathBuf};

use super::archive::ENDING;
use crate::error::{Error, Result};

/// What a registry's address begins with.
pub const REGISTRY: &str = "oci://";

/// Where a pack comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A folder with a `pack.toml`.
    Folder(PathBuf),
    /// A Lua file whose head says what the pack is.
    Script(PathBuf),
    /// A `.tar.zst` file: one pack, or several as `bpflua pack export` writes them.
    Archive(PathBuf),
    /// A git repository.
    Git {
        /// Its address, as git takes it.
        url: String,
        /// A branch, tag or commit; none: the newest version among the tags, or else the default branch.
        reference: Option<String>,
        /// The folder of the pack in it; empty: the whole.
        folder: String,
    },
    /// A repository of an OCI registry.
    Registry {
        /// `host[:port]/repository`.
        repository: String,
        /// A tag or a digest (`sha256:…`); none: the newest version among the tags.
        reference: Option<String>,
    },
}

impl Source {
    /// Understands a source. Whether what it names is there is told when it is fetched.
    pub fn parse(text: &str) -> Result<Source> {
        let bad = |why: &str| Err(Error::script(format!("cannot install from `{text}`"), why));
        if text.starts_with('-') || text.is_empty() || text.chars().any(char::is_control) {
            return bad("it is no source");
        }
        if let Some(rest) = text.strip_prefix(REGISTRY) {
            return match registry(rest) {
                Some(source) => Ok(source),
                None => bad("an address of a registry is `oci://HOST[:PORT]/REPOSITORY[:TAG]`"),
            };
        }
        let (address, fragment) = text.split_once('#').map_or((text, None), |(address, rest)| (address, Some(rest)));
        let explicit = address.strip_prefix("git+");
        if explicit.is_some() || is_git(address) {
            let (reference, folder) = fragment.map_or(("", ""), |rest| rest.split_once(':').unwrap_or((rest, "")));
            if reference.starts_with('-') || !folder.is_empty() && !super::rules::stays_inside(folder) {
                return bad("behind `#` stands a branch, a tag or a commit, and behind `:` a folder of the repository");
            }
            let reference = (!reference.is_empty()).then(|| reference.to_owned());
            let folder = folder.trim_matches('/').to_owned();
            return Ok(Source::Git { url: explicit.unwrap_or(address).to_owned(), reference, folder });
        }
        if address.contains("://") {
            return bad(
                "addresses are those of git repositories (`https://….git`, `git+https://…`) and registries (`oci://…`)",
            );
        }
        Ok(of_path(text))
    }

    /// The same with a commit, tag or digest in place of what stood there.
    #[must_use]
    pub fn at(&self, pin: &str) -> Source {
        match self.clone() {
            Source::Git { url, folder, .. } => Source::Git { url, reference: Some(pin.to_owned()), folder },
            Source::Registry { repository, .. } => Source::Registry { repository, reference: Some(pin.to_owned()) },
            other => other,
        }
    }

    /// The path of a file or folder, made absolute: what is written down has to be understood from anywhere.
    #[must_use]
    pub fn absolute(self) -> Source {
        let whole = |path: PathBuf| std::fs::canonicalize(&path).unwrap_or(path);
        match self {
            Source::Folder(path) => Source::Folder(whole(path)),
            Source::Script(path) => Source::Script(whole(path)),
            Source::Archive(path) => Source::Archive(whole(path)),
            other => other.for_git(),
        }
    }

    /// The path of a git repository, made absolute: git takes paths, too, but not from the folder that we are in.
    #[must_use]
    pub fn for_git(self) -> Source {
        match self {
            Source::Git { url, reference, folder } if !url.contains(':') => {
                let whole = std::fs::canonicalize(&url).map(|path| path.display().to_string());
                Source::Git { url: whole.unwrap_or(url), reference, folder }
            }
            other => other,
        }
    }

    /// Where another pack may be that is only known by its name: beside this one.
    pub fn beside(&self, name: &str) -> Option<Source> {
        match self {
            Source::Folder(path) | Source::Script(path) | Source::Archive(path) => {
                let folder = path.parent().map_or_else(|| Path::new(".").to_owned(), Path::to_owned);
                Some(Source::Folder(folder.join(name)))
            }
            Source::Git { url, reference, folder } => {
                let parent = folder.rsplit_once('/').map(|(parent, _)| format!("{parent}/"));
                let folder = (!folder.is_empty()).then(|| format!("{}{name}", parent.unwrap_or_default()))?;
                Some(Source::Git { url: url.clone(), reference: reference.clone(), folder })
            }
            Source::Registry { repository, .. } => {
                let (parent, _) = repository.rsplit_once('/')?;
                Some(Source::Registry { repository: format!("{parent}/{name}"), reference: None })
            }
        }
    }

    /// Whether it is on this machine's disk.
    pub fn is_local(&self) -> bool {
        matches!(self, Source::Folder(_) | Source::Script(_) | Source::Archive(_))
    }
}

fn is_git(address: &str) -> bool {
    let has_ending = address.ends_with(".git") || address.ends_with(".git/");
    let schemes = ["git://", "ssh://", "git@"];
    schemes.iter().any(|scheme| address.starts_with(scheme)) || has_ending
}

fn of_path(text: &str) -> Source {
    let path = PathBuf::from(text);
    if text.ends_with(ENDING) {
        Source::Archive(path)
    } else if text.ends_with(".lua") {
        Source::Script(path)
    } else {
        Source::Folder(path)
    }
}

/// `host[:port]/repository[:tag][@digest]`.
fn registry(text: &str) -> Option<Source> {
    let (text, digest) = text.split_once('@').map_or((text, None), |(text, digest)| (text, Some(digest)));
    let (host, path) = text.split_once('/')?;
    let (path, tag) = path.split_once(':').map_or((path, None), |(path, tag)| (path, Some(tag)));
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_./".contains(c);
    let is_path = !path.is_empty() && path.chars().all(fits) && path.split('/').all(|part| !part.is_empty());
    let reference = digest.or(tag).map(str::to_owned);
    (is_path && !host.is_empty()).then(|| Source::Registry { repository: format!("{host}/{path}"), reference })
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Folder(path) | Source::Script(path) | Source::Archive(path) => write!(f, "{}", path.display()),
            Source::Git { url, reference, folder } => {
                let prefix = if is_git(url) { "" } else { "git+" };
                write!(f, "{prefix}{url}")?;
                match (reference.as_deref().unwrap_or_default(), folder.as_str()) {
                    ("", "") => Ok(()),
                    (reference, "") => write!(f, "#{reference}"),
                    (reference, folder) => write!(f, "#{reference}:{folder}"),
                }
            }
            Source::Registry { repository, reference } => {
                write!(f, "{REGISTRY}{repository}")?;
                match reference {
                    Some(digest) if digest.contains(':') => write!(f, "@{digest}"),
                    Some(tag) => write!(f, ":{tag}"),
                    None => Ok(()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(url: &str, reference: Option<&str>, folder: &str) -> Source {
        Source::Git { url: url.into(), reference: reference.map(str::to_owned), folder: folder.into() }
    }

    fn oci(repository: &str, reference: Option<&str>) -> Source {
        Source::Registry { repository: repository.into(), reference: reference.map(str::to_owned) }
    }

    #[test]
    fn sources_are_told_apart_and_written_as_they_were_read() {
        let cases = [
            ("./tcp", Source::Folder("./tcp".into())),
            ("x/tcp-1.0.tar.zst", Source::Archive("x/tcp-1.0.tar.zst".into())),
            ("opens.lua", Source::Script("opens.lua".into())),
            ("https://x.org/tcp.git", git("https://x.org/tcp.git", None, "")),
            ("https://x.org/tcp.git#v1", git("https://x.org/tcp.git", Some("v1"), "")),
            ("git+https://x.org/tcp#main:packs/tcp", git("https://x.org/tcp", Some("main"), "packs/tcp")),
            ("git@x.org:me/tcp", git("git@x.org:me/tcp", None, "")),
            ("oci://x.org:5000/packs/tcp", oci("x.org:5000/packs/tcp", None)),
            ("oci://x.org/tcp:1.0.0", oci("x.org/tcp", Some("1.0.0"))),
            ("oci://x.org/tcp@sha256:ab", oci("x.org/tcp", Some("sha256:ab"))),
        ];
        for (text, source) in cases {
            assert_eq!(Source::parse(text).unwrap(), source, "{text}");
            assert_eq!(source.to_string(), text);
        }
        assert_eq!(Source::parse("https://x.org/a.git#:sub").unwrap(), git("https://x.org/a.git", None, "sub"));
        for bad in
            ["", "--upload-pack=x", "oci://x", "oci://x/UP", "ftp://x/y", "a.git#-x", "a.git#v1:../x", "http://x/y"]
        {
            assert!(Source::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn others_lie_beside() {
        let beside = |text: &str| Source::parse(text).unwrap().beside("base").map(|source| source.to_string());
        assert_eq!(beside("/p/tcp").as_deref(), Some("/p/base"));
        assert_eq!(beside("oci://x.org/packs/tcp:1").as_deref(), Some("oci://x.org/packs/base"));
        assert_eq!(beside("a.git#v1:packs/tcp").as_deref(), Some("a.git#v1:packs/base"));
        assert_eq!(beside("a.git"), None);
    }
}
