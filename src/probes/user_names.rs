// SPDX-License-Identifier: Apache-2.0
//! The functions of programs and libraries, for completion: a file is read once, on a thread of its own, so that nobody who
//! handles events waits for a large one.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::bpf::find_user_file;
use crate::symbolize::elf::{FunctionNames, function_names};

/// Names of one file.
pub type Names = Arc<FunctionNames>;

/// Files that are kept; the one that was asked for longest ago goes.
const MOST: usize = 8;
/// How long a file is waited for: most are read in less.
const WAIT: Duration = Duration::from_millis(20);

/// What tells a file from another, and from what it was before it was written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Identity {
    fn of(about: &Metadata) -> Identity {
        let modified = (about.mtime(), about.mtime_nsec());
        Identity { device: about.dev(), inode: about.ino(), size: about.size(), modified }
    }
}

#[derive(Debug)]
struct Entry {
    file: Identity,
    /// None while they are being read.
    names: Option<Names>,
}

/// In the order of their last use.
static KNOWN: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
static CHANGED: Condvar = Condvar::new();

fn known() -> MutexGuard<'static, Vec<Entry>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The functions of a file by the user's name for it, as a process sees it; none when there is no such file, or while it is
/// being read ([`is_reading`]).
pub fn functions_of(file: &str, pid: Option<i32>) -> Option<Names> {
    let file = start(file, pid)?;
    let is_read = |known: &mut Vec<Entry>| known.iter().any(|one| one.file == file && one.names.is_none());
    let waited = CHANGED.wait_timeout_while(known(), WAIT, is_read);
    let (known, _) = waited.unwrap_or_else(PoisonError::into_inner);
    known.iter().find(|one| one.file == file)?.names.clone()
}

/// Whether a file is being read whose functions were asked for.
pub fn is_reading() -> bool {
    known().iter().any(|one| one.names.is_none())
}

/// Begins to read a file that will be asked for.
pub fn read_ahead(file: &str, pid: Option<i32>) {
    start(file, pid);
}

fn start(file: &str, pid: Option<i32>) -> Option<Identity> {
    let path = find_user_file(file, pid).ok()?;
    let identity = Identity::of(&path.metadata().ok()?);
    let mut known = known();
    if let Some(at) = known.iter().position(|one| one.file == identity) {
        let entry = known.remove(at);
        known.push(entry);
        return Some(identity);
    }
    known.push(Entry { file: identity, names: None });
    if known.len() > MOST {
        known.remove(0);
    }
    drop(known);
    let reader = thread::Builder::new().name("names".into());
    if reader.spawn(move || keep(identity, &path)).is_err() {
        forget(identity);
    }
    Some(identity)
}

/// Reads a file and keeps what it has.
fn keep(identity: Identity, path: &PathBuf) {
    match File::open(path) {
        Ok(file) => {
            let names = Arc::new(function_names(&file));
            known().iter_mut().filter(|one| one.file == identity).for_each(|one| one.names = Some(Arc::clone(&names)));
        }
        Err(_) => forget(identity),
    }
    CHANGED.notify_all();
}

fn forget(identity: Identity) {
    known().retain(|one| one.file != identity);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_file_is_read_once_and_anew_when_it_changes() {
        let folder = std::env::temp_dir().join(format!("bpflua-names-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("program");
        std::fs::copy("/proc/self/exe", &path).unwrap();
        let file = path.to_str().unwrap();
        let limit = Instant::now() + Duration::from_secs(60);
        let names = loop {
            match functions_of(file, None) {
                Some(names) => break names,
                None => assert!(is_reading() && Instant::now() < limit),
            }
        };
        assert!(names.iter().any(|name| name == "main"));
        assert!(Arc::ptr_eq(&names, &functions_of(file, None).unwrap()));
        std::fs::write(&path, "no program any more").unwrap();
        let read_anew = loop {
            match functions_of(file, None) {
                Some(names) => break names,
                None => assert!(Instant::now() < limit),
            }
        };
        assert!(read_anew.iter().next().is_none());
        std::fs::remove_dir_all(folder).unwrap();
        assert!(functions_of(file, None).is_none());
    }
}
