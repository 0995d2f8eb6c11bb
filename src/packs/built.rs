// SPDX-License-Identifier: Apache-2.0
//! Objects that travel in a pack, so that it needs no compiler: `built/DIGEST.ARCH.o`, where the digest is of the C text and its
//! flags.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};

/// The folder of objects, from the pack's.
pub const FOLDER: &str = "built";

/// The architectures that packs are built for, as `uname -m` names them.
pub const ARCHITECTURES: [&str; 2] = ["x86_64", "aarch64"];

/// The objects of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    folder: PathBuf,
}

impl Built {
    /// The objects of the pack in a folder; none when it has none.
    pub fn of_pack(pack: &Path) -> Option<Built> {
        let folder = pack.join(FOLDER);
        folder.is_dir().then_some(Built { folder })
    }

    /// The object of a C text for this machine; none when the pack was built without it.
    pub fn find(&self, text: &str, flags: &[String]) -> Result<Option<Vec<u8>>> {
        let path = self.folder.join(file_name(text, flags, std::env::consts::ARCH));
        match std::fs::read(&path) {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io(format!("cannot read the object `{}`", path.display()), &error)),
        }
    }
}

/// What the object of a text is called.
pub fn file_name(text: &str, flags: &[String], arch: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(text.as_bytes());
    for flag in flags {
        digest.update([0]);
        digest.update(flag.as_bytes());
    }
    let digest = digest.finalize();
    let hex: String = digest[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{hex}.{arch}.o")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_found_by_text_and_flags() {
        let folder = std::env::temp_dir().join(format!("bpflua-built-{}", std::process::id()));
        std::fs::create_dir_all(folder.join(FOLDER)).unwrap();
        let flags = ["-DX=1".to_owned()];
        let name = file_name("int f;", &flags, std::env::consts::ARCH);
        std::fs::write(folder.join(FOLDER).join(name), b"elf").unwrap();
        let built = Built::of_pack(&folder).unwrap();
        assert_eq!(built.find("int f;", &flags).unwrap().as_deref(), Some(&b"elf"[..]));
        assert_eq!(built.find("int f;", &[]).unwrap(), None);
        assert_eq!(built.find("int g;", &flags).unwrap(), None);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
