// SPDX-License-Identifier: Apache-2.0
//! Where tracefs is mounted, and mounting it when it is not and we may.

use crate::error::{Error, Result, errno_words};
use crate::kernel::sys::os;
use std::ffi::CStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where tracefs belongs since Linux 4.1.
const HOME: &str = "/sys/kernel/tracing";
const HOME_C: &CStr = c"/sys/kernel/tracing";
/// Where it shows up inside a mounted debugfs.
const IN_DEBUGFS: &str = "/sys/kernel/debug/tracing";

/// A tracefs at some place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracefs {
    root: PathBuf,
}

impl Tracefs {
    /// The tracefs that is known to be at `root`; nothing is looked at.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Tracefs { root: root.into() }
    }

    /// The mounted tracefs, wherever it is; `None` when there is none we can look into.
    pub fn find() -> Option<Self> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let usual = [HOME, IN_DEBUGFS].map(PathBuf::from);
        usual.into_iter().chain(mount_points(&mounts)).find(|root| is_tracefs(root)).map(Tracefs::at)
    }

    /// The mounted tracefs; mounts it in its place when there is none and this process may.
    pub fn open() -> Result<Self> {
        if let Some(found) = Self::find() {
            return Ok(found);
        }
        let mounted = os::mount(c"tracefs", HOME_C);
        // Somebody else may have been faster: what counts is that it is there now.
        match (Self::find(), mounted) {
            (Some(found), _) => Ok(found),
            (None, Ok(())) => {
                Err(Error::machine("cannot use tracefs", format!("mounted on `{HOME}`, but empty there")))
            }
            (None, Err(err)) => Err(not_mounted(&err)),
        }
    }

    /// Where it is mounted.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where `bpf_trace_printk` output can be read, each line once.
    pub fn trace_pipe(&self) -> PathBuf {
        self.root.join("trace_pipe")
    }

    /// The functions that the function tracer, fentry and kprobe-multi can hook.
    pub fn available_filter_functions(&self) -> PathBuf {
        self.root.join("available_filter_functions")
    }
}

/// Whether tracefs can be seen there: every tracefs has this file, and an unmounted `/sys/kernel/tracing` is empty.
fn is_tracefs(root: &Path) -> bool {
    root.join("trace_pipe").exists()
}

/// The mount points of tracefs and the `tracing` folders of debugfs, from the text of `/proc/self/mounts`.
fn mount_points(mounts: &str) -> Vec<PathBuf> {
    let points = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (_, point, kind) = (words.next()?, words.next()?, words.next()?);
        let point = PathBuf::from(unescape(point));
        match kind {
            "tracefs" => Some(point),
            "debugfs" => Some(point.join("tracing")),
            _ => None,
        }
    });
    points.collect()
}

/// Undoes the octal escapes that `/proc/self/mounts` uses for blanks and backslashes.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 4).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(byte) => plain.push(char::from(byte)),
            None => plain.push('\\'),
        }
        rest = &rest[at + if code.is_some() { 4 } else { 1 }..];
    }
    plain + rest
}

/// Why there is no tracefs, with what was looked at.
fn not_mounted(err: &io::Error) -> Error {
    let errno = err.raw_os_error().unwrap_or(0);
    let uid = os::effective_uid();
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    if !known.is_empty() && !known.lines().any(|line| line.trim_start_matches("nodev").trim() == "tracefs") {
        return Error::machine("cannot use tracefs", "this kernel has none")
            .with_errno(errno)
            .with_evidence("/proc/filesystems does not list it (CONFIG_TRACING is not set)");
    }
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    if let Some(point) = mount_points(&mounts).first() {
        let reason = fs::metadata(point.join("trace_pipe")).err().and_then(|err| err.raw_os_error());
        return Error::machine("cannot use tracefs", "this user may not look into it")
            .with_errno(reason.unwrap_or(errno))
            .with_evidence(format!("mounted on `{}`; uid {uid}", point.display()));
    }
    let error = Error::machine("cannot use tracefs", "it is not mounted, and mounting it was refused")
        .with_errno(errno)
        .with_evidence(format!("looked in: {HOME}, {IN_DEBUGFS}, /proc/self/mounts"))
        .with_evidence(format!("mount of tracefs on `{HOME}` as uid {uid}: {}", errno_words(errno)));
    match uid {
        0 => error
            .with_hint(format!("run on the host, outside of any container: mount -t tracefs nodev {HOME}"))
            .with_note("mounting takes CAP_SYS_ADMIN in the first user namespace; a container may lack it"),
        _ => error.with_hint(format!("have root run: mount -t tracefs nodev {HOME}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_of_both_kinds() {
        let mounts = "proc /proc proc rw 0 0\n\
            tracefs /sys/kernel/tracing tracefs rw,nosuid 0 0\n\
            debugfs /my\\040debug debugfs rw 0 0\n\
            short\n\
            x /y\n";
        let expected = ["/sys/kernel/tracing", "/my debug/tracing"].map(PathBuf::from);
        assert_eq!(mount_points(mounts), expected);
        assert!(mount_points("").is_empty());
    }

    #[test]
    fn escapes() {
        assert_eq!(unescape("a\\040b\\134c"), "a b\\c");
        assert_eq!(unescape("a\\"), "a\\");
        assert_eq!(unescape("a\\9"), "a\\9");
        assert_eq!(unescape("\\é\\040"), "\\é ");
    }

    #[test]
    fn root_opens_tracefs() {
        match Tracefs::open() {
            Ok(tracefs) => assert!(tracefs.trace_pipe().exists()),
            Err(err) => println!("skipped: {}", err.report()),
        }
    }
}
