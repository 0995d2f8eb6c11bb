// SPDX-License-Identifier: Apache-2.0
//! How much a pack may hold. What unpacks or reads one stops at these, so that an archive of a few bytes cannot fill a disk.

use serde::{Deserialize, Serialize};

/// The most that a pack may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Files.
    pub files: u64,
    /// Bytes of all files together.
    pub size_bytes: u64,
    /// Bytes of one file.
    pub file_bytes: u64,
    /// Folders within folders.
    pub depth: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { files: 2000, size_bytes: 64 << 20, file_bytes: 16 << 20, depth: 16 }
    }
}
