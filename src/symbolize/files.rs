// SPDX-License-Identifier: Apache-2.0
//! The files whose names are kept, shared by all processes that map them.

use std::cell::RefCell;
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::rc::Rc;

use super::elf::{Image, Place};
use super::lru::Lru;

/// How many files are kept open with their names; each holds two descriptors, or three.
const MOST_FILES: usize = 96;

/// Which file, and which state of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileId {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

/// The files that are kept.
#[derive(Debug)]
pub struct Files(RefCell<Lru<FileId, Option<Rc<Image>>>>);

impl Default for Files {
    fn default() -> Self {
        Files(RefCell::new(Lru::new(MOST_FILES)))
    }
}

impl Files {
    /// A file that was opened before, if it is still kept.
    pub fn kept(&self, id: &FileId) -> Option<Rc<Image>> {
        self.0.borrow_mut().get(id).flatten()
    }

    /// The names of a file; or, in words, why it has none.
    pub fn open(&self, file: File, place: Place) -> Result<(FileId, Rc<Image>), String> {
        let facts = file.metadata().map_err(|err| format!("cannot be looked at: {err}"))?;
        let id = FileId {
            device: facts.dev(),
            inode: facts.ino(),
            size: facts.size(),
            changed: (facts.mtime(), facts.mtime_nsec()),
        };
        let kept = self.0.borrow_mut().get(&id);
        let image = kept.unwrap_or_else(|| {
            let image = Image::open(file, place).map(Rc::new);
            self.0.borrow_mut().insert(id.clone(), image.clone());
            image
        });
        image.map(|image| (id, image)).ok_or_else(|| "is no ELF file".to_owned())
    }
}
