// SPDX-License-Identifier: Apache-2.0
//! Maps that live under a path: taken when something is pinned there, else created and pinned.

use std::fs;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use super::super::map::Map;
use super::super::options::ObjectOptions;
use super::super::sys::map::{self as sys, MapInfo};
use super::super::sys::object::RawMap;
use super::super::sys::pinning;
use super::differences;
use crate::error::{Error, Result};

/// Where a BPF file system is mounted by custom.
const BPF_FS: &str = "/sys/fs/bpf";

/// The map that is pinned at `path`, if one is; an error when it is not such a map as the C text declares.
pub fn find(path: &str, declared: &RawMap, options: &ObjectOptions) -> Result<Option<OwnedFd>> {
    let what = || format!("cannot use what is pinned at `{path}` as map `{}` of `{}`", declared.name, options.name);
    let fd = match pinning::open(path) {
        Ok(fd) => fd,
        Err(err) if err.raw_os_error() == Some(libc::ENOENT) => return Ok(None),
        Err(_) if !on_bpf_fs(Path::new(path)) => return Err(no_bpf_fs(path, &declared.name, options)),
        Err(err) => return Err(Error::io(what(), &err)),
    };
    let info = match sys::info(fd.as_fd()) {
        Ok(info) => info,
        Err(err) if err.raw_os_error() == Some(libc::EINVAL) => {
            return Err(Error::script(what(), "it is a program or a link, not a map").with_errno(libc::EINVAL));
        }
        Err(err) => return Err(Error::io(what(), &err)),
    };
    let differences = differences(&MapInfo::from(declared), &info);
    if differences.is_empty() {
        return Ok(Some(fd));
    }
    let error = Error::script(what(), "it is another kind of map");
    let error = differences.into_iter().fold(error, Error::with_evidence);
    Err(error.with_hint(format!("give another path, or remove that map with `rm {path}` if nobody needs it")))
}

/// Pins a map, with the folders on the way to the path.
pub fn pin(map: &Map, path: &str, options: &ObjectOptions) -> Result<()> {
    let what = || format!("cannot pin map `{}` of `{}` at `{path}`", map.name, options.name);
    if !on_bpf_fs(Path::new(path)) {
        return Err(no_bpf_fs(path, &map.name, options));
    }
    if let Some(folder) = Path::new(path).parent() {
        fs::create_dir_all(folder).map_err(|err| Error::io(what(), &err))?;
    }
    pinning::pin(map.as_fd(), path).map_err(|err| match err.raw_os_error() {
        Some(libc::EEXIST) => {
            let why = "another process pinned a map there in the meantime";
            Error::machine(what(), why).with_errno(libc::EEXIST).with_hint("run the script again: it will use that map")
        }
        Some(libc::EPERM) if path.rsplit('/').next().is_some_and(|name| name.contains('.')) => {
            let why = "a name in a BPF file system has no dots";
            Error::script(what(), why).with_errno(libc::EPERM)
        }
        _ => Error::io(what(), &err),
    })
}

/// Whether the path, or what exists of it, is in a BPF file system.
fn on_bpf_fs(path: &Path) -> bool {
    let existing = path.ancestors().find(|place| place.exists()).unwrap_or(Path::new("."));
    matches!(pinning::is_bpf_fs(existing), Ok(true))
}

fn no_bpf_fs(path: &str, map: &str, options: &ObjectOptions) -> Error {
    let what = format!("cannot pin map `{map}` of `{}` at `{path}`", options.name);
    let error = Error::script(what, "the path is not in a BPF file system").with_errno(libc::EINVAL);
    match pinning::is_bpf_fs(Path::new(BPF_FS)) {
        Ok(true) => error.with_hint(format!("one is mounted on {BPF_FS}: give a path below it")),
        Ok(false) => error.with_hint(format!("none is mounted on {BPF_FS}: `mount -t bpf bpf {BPF_FS}`")),
        Err(err) => error.with_evidence(format!("{BPF_FS}: {}", io::Error::from(err.kind()))),
    }
}
