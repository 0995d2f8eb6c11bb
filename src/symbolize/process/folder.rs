// SPDX-License-Identifier: Apache-2.0
//! The folder of one process below `/proc`, held open, so that it stays the folder of that process when the number is used
//! again.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::mappings::{Backing, Mapping, Mappings};
use crate::symbolize::elf::Place;

/// The folder of a process.
#[derive(Debug)]
pub(super) struct Folder {
    pid: u32,
    folder: File,
}

/// Which program a process runs: the file's device and inode.
pub(super) type Program = (u64, u64);

impl Folder {
    /// Opens the folder; `NotFound` when there is no such process.
    pub(super) fn open(pid: u32) -> io::Result<Self> {
        Ok(Folder { pid, folder: File::open(format!("/proc/{pid}"))? })
    }

    /// The number that it was opened by.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    fn path(&self, below: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{below}", self.folder.as_raw_fd()))
    }

    /// Whether the process is still there.
    pub(super) fn is_there(&self) -> bool {
        fs::metadata(self.path("stat")).is_ok()
    }

    /// The program that it runs; `None` for a kernel thread, without leave to look, and when it is gone.
    pub(super) fn program(&self) -> Option<Program> {
        fs::metadata(self.path("exe")).ok().map(|file| (file.dev(), file.ino()))
    }

    /// Its address space.
    pub(super) fn mappings(&self) -> io::Result<Mappings> {
        Mappings::parse(BufReader::with_capacity(1 << 16, File::open(self.path("maps"))?))
    }

    /// Where its perf map may be: written by itself, under its number and in the file system that it sees, or by another
    /// for it, under our number in ours.
    pub(super) fn perf_maps(&self) -> [PathBuf; 2] {
        let status = fs::read_to_string(self.path("status")).unwrap_or_default();
        let own = parse_own_number(&status).unwrap_or(self.pid);
        [self.path("root").join(format!("tmp/perf-{own}.map")), PathBuf::from(format!("/tmp/perf-{}.map", self.pid))]
    }

    /// Where a mapped file is, for finding its debug file.
    pub(super) fn place_of(&self, path: &Path) -> Place {
        let roots = vec![PathBuf::from(format!("/proc/{}/root", self.pid)), PathBuf::from("/")];
        Place { path: path.to_owned(), roots }
    }

    /// Opens the file behind a mapping: that very file, not another that has its path by now or in our file system.
    pub(super) fn open_mapped(&self, mapping: &Mapping) -> io::Result<File> {
        let Backing::File { path, deleted, inode } = &mapping.backing else {
            return Err(io::ErrorKind::NotFound.into());
        };
        // The kernel's own door to it, which takes CAP_CHECKPOINT_RESTORE.
        let door = self.path(&format!("map_files/{:x}-{:x}", mapping.start, mapping.end));
        let refused = match File::open(door) {
            Ok(file) => return Ok(file),
            Err(err) => err,
        };
        let same = |file: &File| file.metadata().is_ok_and(|facts: Metadata| facts.ino() == *inode);
        if *deleted {
            return self.open_held(*inode).ok_or(refused);
        }
        let in_its_root = self.path("root").join(path.strip_prefix("/").unwrap_or(path));
        let opened = [in_its_root.as_path(), path].map(File::open);
        let mut last = None;
        for opened in opened {
            match opened {
                Ok(file) if same(&file) => return Ok(file),
                Ok(_) => last = Some(io::Error::other("another file has its path now")),
                Err(err) => last = last.or(Some(err)),
            }
        }
        Err(last.unwrap_or(refused))
    }

    /// A file without a path that the process holds open, such as a memfd.
    fn open_held(&self, inode: u64) -> Option<File> {
        let held = fs::read_dir(self.path("fd")).ok()?.flatten().map(|entry| entry.path());
        let mut same =
            held.filter(|path| fs::metadata(path).is_ok_and(|facts| facts.ino() == inode && facts.is_file()));
        same.find_map(|path| File::open(path).ok())
    }
}

/// The number by which a process knows itself: the last of those in `/proc/PID/status`.
fn parse_own_number(status: &str) -> Option<u32> {
    let numbers = status.lines().find_map(|line| line.strip_prefix("NStgid:"))?;
    numbers.split_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_inside_a_container() {
        assert_eq!(parse_own_number("Name:\tx\nNStgid:\t1337\t20\t1\nNSpid:\t9\n"), Some(1));
        assert_eq!(parse_own_number("NStgid:\t1337\n"), Some(1337));
        assert_eq!(parse_own_number("Name:\tx\n"), None);
        assert_eq!(parse_own_number("NStgid:\n"), None);
    }

    #[test]
    fn our_own_folder() {
        let folder = Folder::open(std::process::id()).unwrap();
        assert!(folder.is_there() && folder.program().is_some());
        let mappings = folder.mappings().unwrap();
        let code = mappings.at(our_own_folder as *const () as u64).unwrap();
        let file = folder.open_mapped(code).unwrap();
        let exe = fs::metadata("/proc/self/exe").unwrap();
        assert_eq!(file.metadata().unwrap().ino(), exe.ino());
    }

    #[test]
    fn a_process_that_is_gone() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let folder = Folder::open(child.id()).unwrap();
        assert!(folder.is_there());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!folder.is_there() && folder.program().is_none() && folder.mappings().is_err());
        assert!(Folder::open(u32::MAX).is_err_and(|err| err.kind() == io::ErrorKind::NotFound));
    }
}
