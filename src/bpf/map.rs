// SPDX-License-Identifier: Apache-2.0
//! Maps: descriptors with the sizes and types that the object gave them. Keys and values are raw bytes here.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::error::Result;

/// The kernel's type of a map, by its number (`BPF_MAP_TYPE_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MapKind(pub u32);

/// A map of an object. The map lives in the kernel as long as this does.
#[derive(Debug)]
pub struct Map {
    /// Its name in the C text; `.bss`, `.data` and `.rodata` for the global variables.
    pub name: String,
    /// Its type.
    pub kind: MapKind,
    /// Bytes of a key; 0 for queues and ring buffers.
    pub key_size: u32,
    /// Bytes of a value (of one CPU's value in a per-CPU map).
    pub value_size: u32,
    /// How many elements it takes.
    pub max_entries: u32,
    /// The key's type in the object's BTF; 0 when it has none.
    pub key_type_id: u32,
    /// The value's type in the object's BTF; 0 when it has none.
    pub value_type_id: u32,
    /// Creation flags (`BPF_F_*`).
    pub flags: u32,
    fd: OwnedFd,
}

impl Map {
    /// Bytes that one lookup returns: the value, or one value per possible CPU, each rounded up to 8.
    pub fn lookup_size(&self) -> usize {
        todo!()
    }
    /// Whether each CPU has its own value.
    pub fn is_per_cpu(&self) -> bool {
        todo!()
    }
    /// The value of a key, or `None`.
    pub fn lookup(&self, _key: &[u8]) -> Result<Option<Vec<u8>>> {
        todo!()
    }
    /// Sets a value; `flags` is `BPF_ANY` (0), `BPF_NOEXIST` (1) or `BPF_EXIST` (2).
    pub fn update(&self, _key: &[u8], _value: &[u8], _flags: u64) -> Result<()> {
        todo!()
    }
    /// Deletes a key; false when it was not there.
    pub fn delete(&self, _key: &[u8]) -> Result<bool> {
        todo!()
    }
    /// The key after this one, or the first.
    pub fn next_key(&self, _key: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        todo!()
    }
    /// Deletes every key; sets an array's values to zero.
    pub fn clear(&self) -> Result<()> {
        todo!()
    }
}

impl AsFd for Map {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
