// SPDX-License-Identifier: Apache-2.0
//! Frames of user space that the kernel gave as the build ID of a file and an offset in it, for stacks that outlive their
//! processes (`BPF_F_STACK_BUILD_ID`).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::elf::{ElfFacts, Place};
use super::files::Files;
use super::symbol::{Found, Symbolized, Unknown};
use crate::error::{Error, Result};

/// How many bytes of a build ID the kernel tells (`BPF_BUILD_ID_SIZE`); shorter ones are filled up with zero.
pub const BUILD_ID_BYTES: usize = 20;

/// A build ID as the kernel tells it.
pub type BuildId = [u8; BUILD_ID_BYTES];

/// Whether a file's build ID is the one that the kernel told.
pub fn is_same(told: &BuildId, of_file: &[u8]) -> bool {
    told.iter().zip(of_file.iter().chain(std::iter::repeat(&0))).all(|(told, found)| told == found)
}

/// The files that a script named for such frames.
#[derive(Debug, Default)]
pub struct BuildIds(Vec<(Vec<u8>, PathBuf)>);

impl BuildIds {
    /// Notes a file under its build ID.
    pub fn add(&mut self, path: &Path) -> Result<()> {
        let what = || format!("cannot add module `{}`", path.display());
        let file = File::open(path).map_err(|err| Error::io(what(), &err))?;
        let facts = ElfFacts::read(&file).ok_or_else(|| Error::script(what(), "it is no ELF file"))?;
        let id = facts
            .build_id
            .ok_or_else(|| Error::script(what(), "it has no build ID").with_hint("link it with `-Wl,--build-id`"))?;
        self.0.retain(|(known, _)| *known != id);
        self.0.push((id, path.to_owned()));
        Ok(())
    }

    /// The function at an offset in the file with this build ID; `None` when no such file was named.
    pub fn symbolize(&self, files: &Rc<Files>, id: &BuildId, file_offset: u64) -> Option<Symbolized> {
        let (_, path) = self.0.iter().find(|(known, _)| is_same(id, known))?;
        let module = path.to_string_lossy();
        let place = Place { path: path.clone(), roots: vec![PathBuf::from("/")] };
        let opened = File::open(path).map_err(|err| err.to_string()).and_then(|file| files.open(file, place));
        Some(match opened.map(|(_, image)| image.function_at(file_offset)) {
            Ok(Some(function)) => {
                Ok(Found { name: function.name, offset: function.offset, module: module.into_owned() })
            }
            Ok(None) => Err(Unknown::within(&module, format!("`{module}` has no symbol there"))),
            Err(why) => Err(Unknown::within(&module, format!("`{module}`: {why}"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_build_ids_are_filled_up() {
        let mut told = [0; BUILD_ID_BYTES];
        told[..3].copy_from_slice(&[1, 2, 3]);
        assert!(is_same(&told, &[1, 2, 3]) && !is_same(&told, &[1, 2]) && !is_same(&told, &[1, 2, 3, 4]));
        assert!(is_same(&[7; BUILD_ID_BYTES], &[7; 32]), "the kernel cuts longer ones off");
    }

    #[test]
    fn what_cannot_be_added() {
        let mut ids = BuildIds::default();
        let error = ids.add(Path::new("/no/such/file")).unwrap_err();
        assert_eq!(error.to_string(), "cannot add module `/no/such/file`: no such file or directory (ENOENT)");
        let error = ids.add(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))).unwrap_err();
        assert_eq!(error.why(), "it is no ELF file");
    }
}
