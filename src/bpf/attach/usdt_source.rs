// SPDX-License-Identifier: Apache-2.0
//! From what the user names, a file or a process, to the files whose USDT probes are meant.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::library;
use crate::error::{Error, Result};
use crate::symbolize::usdt::{Probes, UsdtFile};

/// Where USDT probes are looked for: in a file, or in the program and libraries of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UsdtSource {
    /// A path, a program in `PATH`, or a library; with a process, as that process sees it.
    pub path: Option<String>,
    /// A process.
    pub pid: Option<i32>,
}

impl UsdtSource {
    /// Reads the probes.
    pub fn probes(&self) -> Result<Probes> {
        let what = match (&self.path, self.pid) {
            (Some(path), _) => format!("cannot read the USDT probes of `{path}`"),
            (None, Some(pid)) => format!("cannot read the USDT probes of process {pid}"),
            (None, None) => {
                return Err(Error::script("cannot look for USDT probes", "neither a path nor a pid is given"));
            }
        };
        if let Some(pid) = self.pid.filter(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            return Err(Error::machine(what, format!("there is no process {pid}")).with_errno(libc::ESRCH));
        }
        match (&self.path, self.pid) {
            (Some(path), pid) => {
                let file = UsdtFile::open(&library::find(path, pid, &what)?, &what)?;
                Ok(Probes::new(vec![file], format!("`{path}`")))
            }
            (None, pid) => of_process(pid.unwrap_or_default(), &what),
        }
    }
}

/// The probes of every file that a process has mapped as code.
fn of_process(pid: i32, what: &str) -> Result<Probes> {
    let path = format!("/proc/{pid}/maps");
    let maps = fs::read_to_string(&path).map_err(|err| Error::io(what, &err).with_evidence(format!("`{path}`")))?;
    let root = library::process_root(pid);
    let mut seen = HashSet::new();
    let mut files = Vec::new();
    for (range, mapped) in code_files(&maps) {
        let found = library::under(&root, Path::new(mapped));
        // The file may be deleted or replaced; the kernel still has it for the process.
        let kept = PathBuf::from(format!("/proc/{pid}/map_files/{range}"));
        let path = if found.exists() { found } else { kept };
        let Ok(about) = fs::metadata(&path) else { continue };
        if about.is_file() && seen.insert((about.dev(), about.ino())) {
            // Code that is in no ELF file has no notes.
            files.extend(UsdtFile::open(&path, what));
        }
    }
    Ok(Probes::new(files, format!("process {pid}")))
}

/// The address range and the path of each mapping of code in `/proc/PID/maps`.
fn code_files(maps: &str) -> impl Iterator<Item = (&str, &str)> {
    maps.lines().filter_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let path = &rest[rest.find('/')?..];
        rest.get(2..3).filter(|executable| *executable == "x").map(|_| (range, path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55d0-55d1 r--p 00000000 fe:00 12 /usr/bin/server
55d1-55d4 r-xp 00001000 fe:00 12 /usr/bin/server
7f00-7f01 r-xp 00000000 fe:00 15 /opt/with space/lib.so (deleted)
7f05-7f06 rwxp 00000000 00:00 0 [heap]
7ffe-7fff r-xp 00000000 00:00 0 
";

    #[test]
    fn mappings_of_code() {
        let files: Vec<_> = code_files(MAPS).collect();
        assert_eq!(files, [("55d1-55d4", "/usr/bin/server"), ("7f00-7f01", "/opt/with space/lib.so (deleted)")]);
    }

    #[test]
    fn sources_that_are_not_there() {
        let probes = |path: Option<&str>, pid| UsdtSource { path: path.map(str::to_owned), pid }.probes();
        let gone = probes(None, Some(i32::MAX)).unwrap_err();
        assert_eq!((gone.errno(), gone.why()), (Some(libc::ESRCH), "there is no process 2147483647"));
        assert_eq!(probes(Some("/no/such/file"), None).unwrap_err().errno(), Some(libc::ENOENT));
        assert!(probes(Some("/etc/passwd"), None).unwrap_err().why().contains("not a program"));
        assert!(probes(None, None).is_err());
        // This very process has no probes of its own making, but its files are read.
        assert!(probes(None, Some(std::process::id() as i32)).is_ok());
    }
}
