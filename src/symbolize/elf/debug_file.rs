// SPDX-License-Identifier: Apache-2.0
//! Where the debug file of a stripped file is: the places that gdb looks in, below the root that the process sees.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::facts::ElfFacts;
use super::image::Place;

const GLOBAL: &str = "usr/lib/debug";
/// What is searched in place of that folder, as in bcc.
const DEBUG_ROOT: &str = "BCC_DEBUGINFO_ROOT";
/// A folder with files at the paths of those that are traced, with symbols: also bcc's.
const SYMBOLS_ROOT: &str = "BCC_SYMFS";

/// The folders that the user names.
#[derive(Clone, Debug, Default)]
struct Named {
    debug: Option<PathBuf>,
    symbols: Option<PathBuf>,
}

impl Named {
    fn by_the_environment() -> Named {
        let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Named { debug: folder(DEBUG_ROOT), symbols: folder(SYMBOLS_ROOT) }
    }
}

/// The debug file of a file, by build ID, then by debug link, that has what is `wanted`. What does not belong to the file
/// is passed over, whatever its name.
pub(super) fn find(facts: &ElfFacts, place: &Place, wanted: impl Fn(&ElfFacts) -> bool) -> Option<File> {
    candidates(facts, &place.path, &place.roots, &Named::by_the_environment()).into_iter().find_map(|candidate| {
        let file = File::open(candidate).ok()?;
        let found = ElfFacts::read(&file)?;
        (wanted(&found) && belongs(facts, &found, &file)).then_some(file)
    })
}

/// The paths to look at, the likeliest first.
fn candidates(facts: &ElfFacts, path: &Path, roots: &[PathBuf], named: &Named) -> Vec<PathBuf> {
    let below = |root: &Path, path: &Path| root.join(path.strip_prefix("/").unwrap_or(path));
    let mut paths: Vec<PathBuf> = named.symbols.iter().map(|symbols| below(symbols, path)).collect();
    for (index, root) in roots.iter().enumerate() {
        // What the user names is no folder of the process's.
        let global = named.debug.clone().unwrap_or_else(|| root.join(GLOBAL));
        let is_new = named.debug.is_none() || index == 0;
        if let Some(id) = facts.build_id.as_deref().and_then(build_id_path).filter(|_| is_new) {
            paths.push(global.join(id));
        }
        let folder = path.parent();
        if let (Some((name, _)), Some(folder)) = (&facts.debug_link, folder) {
            let name = OsStr::from_bytes(name);
            let beside = below(root, folder);
            paths.push(beside.join(name));
            paths.push(beside.join(".debug").join(name));
            paths.extend(is_new.then(|| below(&global, folder).join(name)));
        }
    }
    paths
}

/// `.build-id/ab/cdef….debug`
fn build_id_path(id: &[u8]) -> Option<PathBuf> {
    let (first, rest) = id.split_first()?;
    let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    (!rest.is_empty()).then(|| PathBuf::from(format!(".build-id/{first:02x}/{rest}.debug")))
}

/// Whether a debug file is this file's: by the build ID that both have, else by the checksum in the link.
fn belongs(facts: &ElfFacts, found: &ElfFacts, file: &File) -> bool {
    match (&facts.build_id, &found.build_id, &facts.debug_link) {
        (Some(ours), Some(theirs), _) => ours == theirs,
        (_, _, Some((_, checksum))) => checksum_of(file).is_some_and(|found| found == *checksum),
        _ => false,
    }
}

/// The CRC-32 of a whole file, as objcopy(1) puts it into a debug link.
fn checksum_of(mut file: &File) -> Option<u32> {
    file.seek(SeekFrom::Start(0)).ok()?;
    let mut hasher = crc32fast::Hasher::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match file.read(&mut chunk).ok()? {
            0 => return Some(hasher.finalize()),
            count => hasher.update(&chunk[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_gdb() {
        let mut facts = ElfFacts::default();
        facts.build_id = Some(vec![0xab, 0x01, 0xcd]);
        facts.debug_link = Some((b"x.debug".to_vec(), 7));
        let roots = [PathBuf::from("/proc/7/root"), PathBuf::from("/")];
        let found = candidates(&facts, Path::new("/opt/bin/x"), &roots, &Named::default());
        let found: Vec<_> = found.iter().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(
            found,
            [
                "/proc/7/root/usr/lib/debug/.build-id/ab/01cd.debug",
                "/proc/7/root/opt/bin/x.debug",
                "/proc/7/root/opt/bin/.debug/x.debug",
                "/proc/7/root/usr/lib/debug/opt/bin/x.debug",
                "/usr/lib/debug/.build-id/ab/01cd.debug",
                "/opt/bin/x.debug",
                "/opt/bin/.debug/x.debug",
                "/usr/lib/debug/opt/bin/x.debug",
            ]
        );
        let named = Named { debug: Some("/srv/debug".into()), symbols: Some("/srv/symbols".into()) };
        let found = candidates(&facts, Path::new("/opt/bin/x"), &roots, &named);
        let found: Vec<_> = found.iter().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(
            found,
            [
                "/srv/symbols/opt/bin/x",
                "/srv/debug/.build-id/ab/01cd.debug",
                "/proc/7/root/opt/bin/x.debug",
                "/proc/7/root/opt/bin/.debug/x.debug",
                "/srv/debug/opt/bin/x.debug",
                "/opt/bin/x.debug",
                "/opt/bin/.debug/x.debug",
            ]
        );
        assert!(candidates(&ElfFacts::default(), Path::new("/x"), &[PathBuf::from("/")], &Named::default()).is_empty());
        assert_eq!(build_id_path(&[1]), None);
    }
}
