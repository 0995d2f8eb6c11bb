// SPDX-License-Identifier: Apache-2.0
//! Reading the kernel's own files where they are, or, when their file system is mounted nowhere, through an instance of
//! it that only this process sees.

use crate::kernel::sys::os;
use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

/// A file of a file system that may be mounted nowhere.
pub(super) struct PseudoFile {
    /// The file system's name.
    pub file_system: &'static CStr,
    /// Where it is mounted by custom.
    pub mount_point: &'static str,
    /// The file below that.
    pub path: &'static str,
}

/// Where the kernel shows its lockdown.
pub(super) const LOCKDOWN: PseudoFile = security("lockdown");
/// Where the kernel lists its active security modules.
pub(super) const SECURITY_MODULES: PseudoFile = security("lsm");
/// Where the kernel lists the functions that take no kprobe.
pub(super) const KPROBE_BLACKLIST: PseudoFile =
    PseudoFile { file_system: c"debugfs", mount_point: "/sys/kernel/debug", path: "kprobes/blacklist" };

const fn security(path: &'static str) -> PseudoFile {
    PseudoFile { file_system: c"securityfs", mount_point: "/sys/kernel/security", path }
}

impl PseudoFile {
    /// Opens the file.
    pub(super) fn open(&self) -> io::Result<File> {
        match File::open(Path::new(self.mount_point).join(self.path)) {
            Err(err) if err.kind() == io::ErrorKind::NotFound => self.open_detached().map_err(|_| err),
            opened => opened,
        }
    }

    /// The text of a file of one line.
    pub(super) fn line(&self) -> io::Result<String> {
        io::read_to_string(self.open()?).map(|text| text.trim().to_owned())
    }

    fn open_detached(&self) -> io::Result<File> {
        let root: OwnedFd = os::mount_detached(self.file_system)?;
        // The open file keeps the instance alive when `root` is closed.
        File::open(format!("/proc/self/fd/{}/{}", root.as_raw_fd(), self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_reads_files_that_are_mounted_nowhere() {
        for file in [LOCKDOWN, SECURITY_MODULES] {
            match file.line() {
                Ok(line) => assert!(!line.is_empty(), "{}", file.path),
                Err(err) => println!("skipped: {}: {err}", file.path),
            }
        }
    }
}
