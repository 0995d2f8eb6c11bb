// SPDX-License-Identifier: Apache-2.0
//! From the name that a user gives a program or library to a file.
//!
//! A name with a slash is a path. Otherwise it is a library, as the process given has it mapped or as the dynamic linker
//! would find it (`c`, `libc.so.6`), or a program in `PATH`. Processes may live in a file system of their own; their
//! files are then reached through `/proc/PID/root`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

const CACHE: &str = "/etc/ld.so.cache";
/// Where libraries are when the linker's cache does not say (musl has none).
const FOLDERS: [&str; 8] = [
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/usr/local/lib",
    concat_arch("/lib/"),
    concat_arch("/usr/lib/"),
    concat_arch("/usr/local/lib/"),
];

const fn concat_arch(folder: &'static str) -> &'static str {
    match folder.as_bytes() {
        b"/lib/" if cfg!(target_arch = "aarch64") => "/lib/aarch64-linux-gnu",
        b"/lib/" => "/lib/x86_64-linux-gnu",
        b"/usr/lib/" if cfg!(target_arch = "aarch64") => "/usr/lib/aarch64-linux-gnu",
        b"/usr/lib/" => "/usr/lib/x86_64-linux-gnu",
        _ if cfg!(target_arch = "aarch64") => "/usr/local/lib/aarch64-linux-gnu",
        _ => "/usr/local/lib/x86_64-linux-gnu",
    }
}

/// The file that `name` means to the user, or to the process; `what` is the headline of an error.
pub fn find(name: &str, pid: Option<i32>, what: &str) -> Result<PathBuf> {
    let root = pid.map(process_root).unwrap_or_default();
    if name.contains('/') {
        let path = if name.starts_with('/') { under(&root, Path::new(name)) } else { PathBuf::from(name) };
        return match fs::metadata(&path) {
            Ok(file) if file.is_file() => Ok(path),
            Ok(_) => Err(Error::script(what, format!("`{name}` is not a file"))),
            Err(err) => Err(Error::io(what, &err).with_evidence(format!("looked for `{}`", path.display()))),
        };
    }
    let mapped = pid.and_then(|pid| mapped_library(pid, name)).map(|path| under(&root, &path));
    let found = mapped.or_else(|| linked_library(name)).or_else(|| in_folders(name)).or_else(|| in_path(name));
    found.ok_or_else(|| {
        Error::machine(what, format!("there is no library or program `{name}`"))
            .with_errno(libc::ENOENT)
            .with_evidence(format!("looked in `{CACHE}`, the standard library folders and PATH"))
            .with_hint("give its path, with a `/` in it")
    })
}

/// The prefix through which a process's files are seen, when its file system differs from ours.
pub(super) fn process_root(pid: i32) -> PathBuf {
    let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/mnt")).ok();
    let root = PathBuf::from(format!("/proc/{pid}/root"));
    let differs = namespace("self") != namespace(&pid.to_string());
    let changed = fs::read_link(&root).is_ok_and(|root| root != Path::new("/"));
    if differs || changed { root } else { PathBuf::new() }
}

/// A path of a process, as this process reaches it.
pub(super) fn under(root: &Path, path: &Path) -> PathBuf {
    if root.as_os_str().is_empty() { path.to_owned() } else { root.join(path.strip_prefix("/").unwrap_or(path)) }
}

fn mapped_library(pid: i32, name: &str) -> Option<PathBuf> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let mut paths = maps.lines().filter_map(|line| line.find('/').map(|start| &line[start..]));
    paths
        .find(|path| Path::new(path).file_name().is_some_and(|file| is_library(&file.to_string_lossy(), name)))
        .map(PathBuf::from)
}

fn linked_library(name: &str) -> Option<PathBuf> {
    let cache = fs::read(CACHE).ok()?;
    let entries = parse_cache(&cache)?;
    let mut wanted = entries.into_iter().filter(|(soname, _)| is_library(soname, name));
    wanted.find(|(_, path)| Path::new(path).exists()).map(|(_, path)| PathBuf::from(path))
}

fn in_folders(name: &str) -> Option<PathBuf> {
    FOLDERS.iter().find_map(|folder| {
        let mut files: Vec<PathBuf> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
        files.sort();
        files.into_iter().find(|file| file.file_name().is_some_and(|file| is_library(&file.to_string_lossy(), name)))
    })
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Whether a file or soname is the library that a user calls `name`: `c` is `libc.so.6`, `libc.so` is too, and
/// `libc.so.6` is itself only.
fn is_library(file: &str, name: &str) -> bool {
    if file == name {
        return name.contains(".so");
    }
    let stem = name.strip_suffix(".so").unwrap_or(name);
    let rest = file.strip_prefix(stem).or_else(|| file.strip_prefix("lib").and_then(|file| file.strip_prefix(stem)));
    let versioned = |rest: &str| rest == ".so" || rest.starts_with(".so.") || old_style(rest);
    !stem.contains(".so") && file.starts_with("lib") && rest.is_some_and(versioned)
}

/// `libc-2.31.so`, the names of before glibc 2.34.
fn old_style(rest: &str) -> bool {
    rest.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.ends_with(".so"))
}

/// The linker's cache: sonames with paths, for programs of this machine's kind. The new format may follow an old one.
fn parse_cache(cache: &[u8]) -> Option<Vec<(&str, &str)>> {
    const NEW_MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
    const OLD_MAGIC: &[u8] = b"ld.so-1.7.0\0";
    const HEADER: usize = 48;
    const ENTRY: usize = 24;
    let start = match cache.strip_prefix(OLD_MAGIC) {
        Some(_) => (16 + word(cache, 12)? * 12).next_multiple_of(8),
        None => 0,
    };
    let cache = cache.get(start..)?;
    cache.strip_prefix(NEW_MAGIC)?;
    let count = word(cache, 20)?;
    let entries = cache.get(HEADER..HEADER.checked_add(count.checked_mul(ENTRY)?)?)?;
    let of_this_machine =
        |entry: &&[u8]| word(entry, 0) == Some(if cfg!(target_arch = "aarch64") { 0x0a03 } else { 0x0303 });
    let parse = |entry: &[u8]| Some((text(cache, word(entry, 4)?)?, text(cache, word(entry, 8)?)?));
    Some(entries.chunks_exact(ENTRY).filter(of_this_machine).filter_map(parse).collect())
}

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize)
}

fn text(bytes: &[u8], at: usize) -> Option<&str> {
    let bytes = bytes.get(at..)?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    std::str::from_utf8(&bytes[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_by_all_their_names() {
        for name in ["c", "libc.so", "libc.so.6", "libc"] {
            assert!(is_library("libc.so.6", name), "{name}");
        }
        assert!(is_library("libc-2.31.so", "c"));
        assert!(is_library("libstdc++.so.6", "stdc++"));
        for (file, name) in [("libcrypt.so.1", "c"), ("libc.so.6", "libc.so.5"), ("c", "c"), ("bash", "bash")] {
            assert!(!is_library(file, name), "{file} {name}");
        }
    }

    #[test]
    fn the_linkers_cache_is_read() {
        let Ok(cache) = fs::read(CACHE) else {
            println!("skipped: no {CACHE}");
            return;
        };
        let entries = parse_cache(&cache).unwrap();
        let libc = entries.iter().find(|(soname, _)| *soname == "libc.so.6").unwrap();
        assert!(libc.1.starts_with('/') && Path::new(libc.1).exists(), "{libc:?}");
    }

    #[test]
    fn damaged_caches_are_no_caches() {
        let mut cache = b"glibc-ld.so.cache1.1".to_vec();
        assert_eq!(parse_cache(&cache), None);
        cache.extend([0xff; 40]);
        assert_eq!(parse_cache(&cache), None);
        assert_eq!(parse_cache(b"ld.so-1.7.0\0\xff\xff\xff\xff"), None);
    }

    #[test]
    fn files_are_found() {
        assert!(find("c", None, "x").unwrap().to_string_lossy().contains("libc.so"));
        assert!(find("sh", None, "x").unwrap().ends_with("sh"));
        assert_eq!(find("c", Some(std::process::id() as i32), "x").unwrap().file_name().unwrap(), "libc.so.6");
        let err = find("no_such_thing", None, "cannot attach uprobe `f` to `no_such_thing:g`").unwrap_err();
        assert!(err.why().contains("no library or program"));
        assert_eq!(find("/no/such/file", None, "x").unwrap_err().errno(), Some(libc::ENOENT));
        assert!(find("/usr", None, "x").unwrap_err().why().contains("not a file"));
    }
}
