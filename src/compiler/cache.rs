// SPDX-License-Identifier: Apache-2.0
//! Finished objects on disk, so that a text compiled before does not load clang at all.
//!
//! The key covers everything that decides the object: text and place, included files, flags, headers, the kernel's BTF
//! and tracepoints, bpflua's own build. Entries are written aside and renamed, so that concurrent runs see whole ones;
//! the directory and its files must be the user's own and writable by nobody else; the oldest go when it grows.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use xxhash_rust::xxh3::Xxh3;

use super::shown::Shown;
use super::{Compiled, Options, Source, configured};

/// Bytes that all entries together may take.
const MAX_BYTES: u64 = 64 << 20;
/// The first line of an entry; another format has another number.
const MAGIC: &[u8] = b"bpflua object 1\n";

/// What a kernel's build writes first.
const AUTOCONF: &str = "include/generated/autoconf.h";

/// A directory of objects.
#[derive(Clone, Debug)]
pub struct Cache {
    dir: PathBuf,
    build: String,
}

/// What an entry is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Cache {
    /// The cache in `dir`, made when it is missing. `None` when the directory cannot be trusted: not the user's own, or
    /// writable by others. `build` tells this executable from others of the same version.
    pub fn open(dir: &Path, build: &str) -> Option<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).ok()?;
        let about = fs::symlink_metadata(dir).ok()?;
        let ours = about.is_dir() && is_ours(&about);
        ours.then(|| Cache { dir: dir.to_owned(), build: build.to_owned() })
    }

    /// The key of a text under these options. `texts` are the user's texts with all included files.
    pub fn key(&self, source: &Source, options: &Options<'_>, texts: &[String], records: &str) -> Key {
        let mut hash = Xxh3::new();
        let mut add = |bytes: &[u8]| {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        add(self.build.as_bytes());
        add(source.name.as_bytes());
        add(&[source.first_line.to_le_bytes(), source.first_column.to_le_bytes()].concat());
        texts.iter().for_each(|text| add(text.as_bytes()));
        add(records.as_bytes());
        options.headers.iter().for_each(|(path, text)| {
            add(path.as_bytes());
            add(text.as_bytes());
        });
        options.flags.iter().for_each(|flag| add(flag.as_bytes()));
        add(&options.btf.map_or(0, crate::kernel::btf::Btf::identity).to_le_bytes());
        add(&options.kernel_version_code.to_le_bytes());
        add(&options.online_cpus.to_le_bytes());
        add(&options.ticks_per_second.to_le_bytes());
        configured::flags(texts, options).iter().for_each(|flag| add(flag.as_bytes()));
        add(options.arch.target_define().as_bytes());
        add(&[options.portable.into()]);
        // The headers of an installed kernel do not change; those that a build writes anew have a new time.
        let headers = options.kernel_headers.map(|headers| (headers, fs::metadata(headers.build.join(AUTOCONF))));
        add(format!("{headers:?}").as_bytes());
        Key(format!("{:032x}", hash.digest128()))
    }

    /// The object under `key`, when there is one that can be trusted.
    pub fn find(&self, key: &Key) -> Option<Compiled> {
        let path = self.path(key);
        let mut file =
            fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC).open(&path).ok()?;
        let about = file.metadata().ok()?;
        if !about.is_file() || !is_ours(&about) {
            return None;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        // The time of last use decides who goes first.
        let _ = file.set_modified(SystemTime::now());
        decode(&bytes)
    }

    /// Keeps an object. A failure costs the next run a compilation and nothing else, so it is not reported.
    pub fn keep(&self, key: &Key, compiled: &Compiled) {
        let aside = self.dir.join(format!(".{}.{}", key.0, std::process::id()));
        let written = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&aside)
            .and_then(|mut file| file.write_all(&encode(compiled)))
            .and_then(|()| fs::rename(&aside, self.path(key)));
        if written.is_err() {
            let _ = fs::remove_file(&aside);
        }
        self.shrink();
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.dir.join(format!("{}.o", key.0))
    }

    /// Removes the entries used longest ago until the rest fits.
    fn shrink(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        let mut files: Vec<(SystemTime, u64, PathBuf)> = entries
            .flatten()
            .filter_map(|entry| {
                let about = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((about.modified().ok()?, about.len(), entry.path()))
            })
            .collect();
        let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        if total <= MAX_BYTES {
            return;
        }
        files.sort();
        for (_, bytes, path) in files {
            if total <= MAX_BYTES * 3 / 4 {
                break;
            }
            if fs::remove_file(&path).is_ok() {
                total -= bytes;
            }
        }
    }
}

/// Owned by the effective user, and nobody else may write it.
fn is_ours(about: &fs::Metadata) -> bool {
    // SAFETY: geteuid has no preconditions and cannot fail.
    let user = unsafe { libc::geteuid() };
    about.uid() == user && about.mode() & 0o022 == 0
}

/// Magic, a hash of the rest, the number of warnings, each with its length, then the object.
fn encode(compiled: &Compiled) -> Vec<u8> {
    let mut body = (compiled.warnings.len() as u32).to_le_bytes().to_vec();
    for warning in &compiled.warnings {
        body.extend((warning.len() as u32).to_le_bytes());
        body.extend(warning.as_bytes());
    }
    body.extend(&compiled.object);
    [MAGIC, &xxhash_rust::xxh3::xxh3_64(&body).to_le_bytes(), &body].concat()
}

fn decode(bytes: &[u8]) -> Option<Compiled> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (hash, body) = rest.split_first_chunk::<8>()?;
    if u64::from_le_bytes(*hash) != xxhash_rust::xxh3::xxh3_64(body) {
        return None;
    }
    let (count, mut body) = body.split_first_chunk::<4>()?;
    let mut warnings = Vec::new();
    for _ in 0..u32::from_le_bytes(*count) {
        let (len, rest) = body.split_first_chunk::<4>()?;
        let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        warnings.push(String::from_utf8(text.to_vec()).ok()?);
        body = rest;
    }
    let (object, shown) = (body.to_vec(), Shown::default());
    Some(Compiled { object, warnings, from_cache: true, shown, modules: Vec::new() })
}
