// SPDX-License-Identifier: Apache-2.0
//! Trees in tar archives, plain and packed by zstd. What is written depends on the files alone: in the order of their paths, with
//! no times and no owners, so that one tree gives one archive, byte for byte.

use std::io::Read;

use super::limits::Limits;
use super::tree::{File, Found, Tree, admitted, refused};
use crate::error::{Error, Result};

/// How the names of packed archives end.
pub const ENDING: &str = ".tar.zst";

/// The tree of a packed archive; `source` is what it is called in errors.
pub fn unpack(bytes: &[u8], source: &str, limits: &Limits) -> Result<Tree> {
    let broken = |why: String| Error::script(format!("cannot unpack `{source}`"), why);
    let unpacked = ruzstd::decoding::StreamingDecoder::new(bytes);
    let unpacked = unpacked.map_err(|_| broken("it is not packed by zstd".to_owned()))?;
    read_tar(unpacked, source, limits)
}

/// The tree of a plain archive, read no further than the limits go.
pub fn read_tar(reader: impl Read, source: &str, limits: &Limits) -> Result<Tree> {
    let broken = |error: std::io::Error| {
        Error::script(format!("cannot unpack `{source}`"), format!("it is no whole tar archive: {error}"))
    };
    // Headers are no part of a file's size: 1 KiB for each, and as much again for long names.
    let most = limits.size_bytes.saturating_add(limits.files.saturating_mul(4096)).saturating_add(1 << 16);
    let mut archive = tar::Archive::new(reader.take(most));
    let mut tree = Tree::default();
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        let header = entry.header();
        let mode = header.mode().map_err(broken)?;
        let found = match header.entry_type() {
            tar::EntryType::Directory => {
                // Folders come with their files; the name is looked at all the same.
                if path
                    .components()
                    .any(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::ParentDir))
                {
                    admitted(Tree::default().admit(&path, Found::File { mode: 0o755 }, 0, limits), source)?;
                }
                continue;
            }
            tar::EntryType::Regular | tar::EntryType::Continuous => Found::File { mode },
            tar::EntryType::XGlobalHeader => continue,
            other => Found::Other(kind(other)),
        };
        let name = admitted(tree.admit(&path, found, entry.size(), limits), source)?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() as u64 != header_size(&entry) {
            return Err(refused(source, format!("`{name}` is cut short")));
        }
        tree.add(name, File { bytes, executable: mode & 0o100 != 0 });
    }
    Ok(tree)
}

fn header_size(entry: &tar::Entry<'_, impl Read>) -> u64 {
    entry.size()
}

fn kind(kind: tar::EntryType) -> &'static str {
    match kind {
        tar::EntryType::Symlink => "a symbolic link",
        tar::EntryType::Link => "a hard link",
        tar::EntryType::Char | tar::EntryType::Block => "a device file",
        tar::EntryType::Fifo => "a named pipe",
        _ => "no plain file",
    }
}

/// A packed archive of a tree.
pub fn pack(tree: &Tree) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| Error::io("cannot make an archive", &error);
    let mut builder = tar::Builder::new(Vec::new());
    for (path, file) in tree.files() {
        let mut header = tar::Header::new_ustar();
        header.set_size(file.bytes.len() as u64);
        header.set_mode(if file.executable { 0o755 } else { 0o644 });
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_entry_type(tar::EntryType::Regular);
        builder.append_data(&mut header, path, file.bytes.as_slice()).map_err(failed)?;
    }
    let plain = builder.into_inner().map_err(failed)?;
    Ok(ruzstd::encoding::compress_to_vec(plain.as_slice(), ruzstd::encoding::CompressionLevel::Fastest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        tree.put("pack.toml", "name");
        tree.put(&format!("{}/deep.lua", "a".repeat(120)), "x".repeat(300_000));
        tree.add("bin/run".into(), File { bytes: b"#!".to_vec(), executable: true });
        tree
    }

    #[test]
    fn a_tree_comes_back_whole_and_the_archive_is_the_same_each_time() {
        let packed = pack(&tree()).unwrap();
        assert_eq!(packed, pack(&tree()).unwrap());
        assert!(packed.len() < 100_000, "{}", packed.len());
        assert_eq!(unpack(&packed, "x", &Limits::default()).unwrap(), tree());
    }

    fn tar_of(path: &str, kind: tar::EntryType, mode: u32) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        // Written by hand: the crate refuses to write a path that leads out.
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(0);
        header.set_link_name("/etc/passwd").unwrap();
        header.set_cksum();
        builder.append(&header, std::io::empty()).unwrap();
        builder.into_inner().unwrap()
    }

    #[test]
    fn what_leads_out_or_is_no_file_is_refused() {
        let cases = [
            (tar_of("../evil", tar::EntryType::Regular, 0o644), "`../evil` leads out of the pack's folder"),
            (tar_of("../evil/", tar::EntryType::Directory, 0o755), "leads out of the pack's folder"),
            (tar_of("/etc/evil", tar::EntryType::Regular, 0o644), "`/etc/evil` is an absolute path"),
            (tar_of("link", tar::EntryType::Symlink, 0o777), "`link` is a symbolic link"),
            (tar_of("link", tar::EntryType::Link, 0o644), "`link` is a hard link"),
            (tar_of("null", tar::EntryType::Char, 0o666), "`null` is a device file"),
            (tar_of("su", tar::EntryType::Regular, 0o4755), "`su` has the set-user-ID or set-group-ID bit"),
        ];
        for (bytes, why) in cases {
            let error = read_tar(bytes.as_slice(), "x.tar", &Limits::default()).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }

    #[test]
    fn a_bomb_is_stopped_and_rubbish_is_told() {
        let mut bomb = Tree::default();
        bomb.put("zeros", vec![0; 20 << 20]);
        let packed = pack(&bomb).unwrap();
        assert!(packed.len() < 1 << 20);
        let error = unpack(&packed, "bomb.tar.zst", &Limits::default()).unwrap_err();
        assert!(error.to_string().contains("more than the 16777216 of a file"), "{error}");
        assert!(unpack(b"rubbish", "x", &Limits::default()).unwrap_err().to_string().contains("not packed by zstd"));
        let half = &pack(&tree()).unwrap()[..200];
        assert!(unpack(half, "x", &Limits::default()).is_err());
    }
}
