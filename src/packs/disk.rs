// SPDX-License-Identifier: Apache-2.0
//! Trees from folders and to folders.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::limits::Limits;
use super::tree::{File, Found, RECORD, Tree, admitted};
use crate::error::{Error, Result};

/// What a folder of sources has that no pack is made of.
const LEFT_OUT: [&str; 2] = [".git", RECORD];

/// Reads a folder. `.git` at its top is left out, and so is what bpflua noted of an installed pack.
pub fn read(folder: &Path, limits: &Limits) -> Result<Tree> {
    let source = folder.display().to_string();
    let mut tree = Tree::default();
    let mut pending: Vec<PathBuf> = vec![PathBuf::new()];
    while let Some(below) = pending.pop() {
        let unreadable = |error: &std::io::Error| {
            Error::io(format!("cannot read the folder `{}`", folder.join(&below).display()), error)
        };
        for entry in fs::read_dir(folder.join(&below)).map_err(|error| unreadable(&error))? {
            let entry = entry.map_err(|error| unreadable(&error))?;
            let path = below.join(entry.file_name());
            if LEFT_OUT.iter().any(|left_out| path.as_path() == Path::new(left_out)) {
                continue;
            }
            let about = entry.metadata().map_err(|error| unreadable(&error))?;
            if about.is_dir() {
                let too_deep = path.components().count() as u64 > limits.depth;
                let shown = path.display();
                admitted(
                    if too_deep {
                        Err(format!("`{shown}` lies more than {} folders deep", limits.depth))
                    } else {
                        Ok(String::new())
                    },
                    &source,
                )?;
                pending.push(path);
                continue;
            }
            let found = if about.is_file() {
                Found::File { mode: about.permissions().mode() }
            } else {
                Found::Other(kind(about.file_type()))
            };
            let name = admitted(tree.admit(&path, found, about.len(), limits), &source)?;
            let bytes = read_file(&folder.join(&path), limits)?;
            tree.add(name, File { bytes, executable: about.permissions().mode() & 0o100 != 0 });
        }
    }
    Ok(tree)
}

/// Reads a plain file, not what a link leads to, and no more than a file of a pack may have.
pub fn read_file(path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let unreadable = |error: std::io::Error| Error::io(format!("cannot read `{}`", path.display()), &error);
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW).open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limits.file_bytes + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limits.file_bytes {
        let why = format!("it has more than {} bytes", limits.file_bytes);
        return Err(Error::script(format!("cannot read `{}`", path.display()), why));
    }
    Ok(bytes)
}

fn kind(kind: fs::FileType) -> &'static str {
    if kind.is_symlink() {
        "a symbolic link"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device file"
    } else if kind.is_fifo() {
        "a named pipe"
    } else {
        "a socket"
    }
}

/// Writes a tree into a folder that is not there yet, each file synchronised with the disk.
pub fn write(tree: &Tree, folder: &Path) -> Result<()> {
    make_folder(folder)?;
    for (name, file) in tree.files() {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            make_folder(parent)?;
        }
        write_new(&path, &file.bytes, if file.executable { 0o755 } else { 0o644 })?;
    }
    sync_folders(folder)
}

/// Writes a file that is not there yet, and synchronises it with the disk.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        // Whatever the mask of this process is.
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()
    };
    write().map_err(|error| Error::io(format!("cannot write `{}`", path.display()), &error))
}

/// Replaces a file by one with other bytes, at once: who reads it sees the one or the other.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let new = path.with_extension(format!("new-{}", std::process::id()));
    let _ = fs::remove_file(&new);
    write_new(&new, bytes, 0o644)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let renamed = fs::rename(&new, path).and_then(|()| sync(folder));
    renamed.map_err(|error| Error::io(format!("cannot write `{}`", path.display()), &error))
}

/// Makes a folder and those above it, writable by their owner only.
pub fn make_folder(folder: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(folder);
    made.map_err(|error| Error::io(format!("cannot make the folder `{}`", folder.display()), &error))
}

/// Makes a folder that was not there and that nobody else can look into.
pub fn make_private(folder: &Path) -> Result<()> {
    let made = fs::DirBuilder::new().mode(0o700).create(folder);
    made.map_err(|error| Error::io(format!("cannot make the folder `{}`", folder.display()), &error))
}

/// Has the disk hold what a folder lists.
pub fn sync(folder: &Path) -> std::io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

fn sync_folders(folder: &Path) -> Result<()> {
    let walk = |folder: &Path| -> std::io::Result<Vec<PathBuf>> {
        sync(folder)?;
        let folders = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
        Ok(folders.collect())
    };
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let below = walk(&folder).map_err(|error| Error::io(format!("cannot write `{}`", folder.display()), &error))?;
        pending.extend(below);
    }
    Ok(())
}
