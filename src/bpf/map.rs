// SPDX-License-Identifier: Apache-2.0
//! Maps: descriptors with the sizes and types that the object gave them. Keys and values are raw bytes here; their
//! types are the caller's business ([`Map::key_type_id`], [`Map::value_type_id`] in the object's BTF).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::function::INTERNAL_PREFIX;
use super::map_kind::MapKind;
use super::sys::map as sys;
use super::sys::memory::MapMemory;
use super::sys::object::RawMap;
use crate::error::{Error, Result};

/// A map of an object. The map lives in the kernel as long as this, or a program that uses it, does.
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
    /// The types as `declared`, the sizes as libbpf `prepared` them (a perf buffer's one element per CPU, say).
    pub(super) fn new(prepared: &RawMap, declared: &RawMap, fd: OwnedFd) -> Map {
        Map {
            name: public_name(declared),
            kind: MapKind(prepared.kind),
            key_size: prepared.key_size,
            value_size: prepared.value_size,
            max_entries: prepared.max_entries,
            key_type_id: declared.key_type_id,
            // The kernel puts a struct of its own around a struct of functions.
            value_type_id: if prepared.kind == MapKind::STRUCT_OPS.0 { 0 } else { declared.value_type_id },
            flags: prepared.flags,
            fd,
        }
    }

    /// Whether it is the dialect's own, which scripts do not see.
    pub fn is_internal(&self) -> bool {
        self.name.starts_with(INTERNAL_PREFIX)
    }

    /// Whether each CPU has its own value.
    pub fn is_per_cpu(&self) -> bool {
        self.kind.is_per_cpu()
    }

    /// Bytes that one lookup returns: the value, or one value per possible CPU, each rounded up to 8.
    pub fn lookup_size(&self) -> Result<usize> {
        if !self.is_per_cpu() {
            return Ok(self.value_size as usize);
        }
        let cpus = sys::possible_cpus().map_err(|err| Error::io("cannot count the possible CPUs", &err))?;
        Ok((self.value_size as usize).next_multiple_of(8) * cpus)
    }

    /// The value of a key, or `None`.
    pub fn lookup(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.check("look up a key in", key, self.key_size as usize)?;
        let mut value = vec![0; self.lookup_size()?];
        let found = sys::lookup(self.as_fd(), key, &mut value);
        self.found("look up a key in", found.map(|()| value))
    }

    /// Takes the value of a key out of the map.
    pub fn lookup_and_delete(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.check("take a key out of", key, self.key_size as usize)?;
        let mut value = vec![0; self.lookup_size()?];
        let found = sys::lookup_and_delete(self.as_fd(), key, &mut value);
        self.found("take a key out of", found.map(|()| value))
    }

    /// Sets a value; `flags` is `BPF_ANY` (0), `BPF_NOEXIST` (1) or `BPF_EXIST` (2).
    pub fn update(&self, key: &[u8], value: &[u8], flags: u64) -> Result<()> {
        self.check("update", key, self.key_size as usize)?;
        self.check("update", value, self.lookup_size()?)?;
        sys::update(self.as_fd(), key, value, flags).map_err(|err| self.failed("update", &err))
    }

    /// Deletes a key; false when it was not there.
    pub fn delete(&self, key: &[u8]) -> Result<bool> {
        self.check("delete a key of", key, self.key_size as usize)?;
        let deleted = sys::delete(self.as_fd(), key);
        Ok(self.found("delete a key of", deleted)?.is_some())
    }

    /// The key after this one, or the first.
    pub fn next_key(&self, key: Option<&[u8]>) -> Result<Option<Vec<u8>>> {
        if let Some(key) = key {
            self.check("walk", key, self.key_size as usize)?;
        }
        let mut next = vec![0; self.key_size as usize];
        let found = sys::next_key(self.as_fd(), key, &mut next);
        self.found("walk", found.map(|()| next))
    }

    /// All keys at this moment. Keys that come and go meanwhile may be missed or seen twice.
    pub fn keys(&self) -> Result<Vec<Vec<u8>>> {
        let mut keys: Vec<Vec<u8>> = Vec::new();
        while let Some(next) = self.next_key(keys.last().map(Vec::as_slice))? {
            // A key deleted under the walk sends it back to the start; a map never holds more keys than this.
            if keys.len() > self.max_entries as usize {
                break;
            }
            keys.push(next);
        }
        Ok(keys)
    }

    /// Deletes every key; sets an array's values to zero.
    pub fn clear(&self) -> Result<()> {
        if self.kind.is_array() {
            let zero = vec![0; self.lookup_size()?];
            return (0..self.max_entries).try_for_each(|index| self.update(&index.to_ne_bytes(), &zero, 0));
        }
        for key in self.keys()? {
            self.delete(&key)?;
        }
        Ok(())
    }

    /// Appends to a queue or stack; `BPF_EXIST` (2) drops the oldest when it is full.
    pub fn push(&self, value: &[u8], flags: u64) -> Result<()> {
        self.check("push to", value, self.value_size as usize)?;
        sys::update(self.as_fd(), &[], value, flags).map_err(|err| self.failed("push to", &err))
    }

    /// Takes the head of a queue or the top of a stack; `None` when it is empty.
    pub fn pop(&self) -> Result<Option<Vec<u8>>> {
        let mut value = vec![0; self.value_size as usize];
        let found = sys::lookup_and_delete(self.as_fd(), &[], &mut value);
        self.found("pop from", found.map(|()| value))
    }

    /// Reads the head of a queue or the top of a stack; `None` when it is empty.
    pub fn peek(&self) -> Result<Option<Vec<u8>>> {
        let mut value = vec![0; self.value_size as usize];
        let found = sys::peek(self.as_fd(), &mut value);
        self.found("peek into", found.map(|()| value))
    }

    /// The map's memory, for an array made with `BPF_F_MMAPABLE` (the global variables are): elements one after the
    /// other, each rounded up to 8 bytes.
    pub fn memory(&self) -> Result<MapMemory> {
        if self.flags & libbpf_sys::BPF_F_MMAPABLE == 0 {
            let why = "it was not declared with BPF_F_MMAPABLE";
            return Err(Error::script(format!("cannot map the memory of `{}`", self.name), why));
        }
        let len = (self.value_size as usize).next_multiple_of(8) * self.max_entries as usize;
        MapMemory::map(self.as_fd(), len).map_err(|err| self.failed("map the memory of", &err))
    }

    fn check(&self, verb: &str, bytes: &[u8], size: usize) -> Result<()> {
        if bytes.len() == size {
            return Ok(());
        }
        let why = format!("{} bytes given where the map has {size}", bytes.len());
        Err(Error::script(format!("cannot {verb} map `{}`", self.name), why))
    }

    fn found<T>(&self, verb: &str, result: io::Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(err) if err.raw_os_error() == Some(libc::ENOENT) => Ok(None),
            Err(err) => Err(self.failed(verb, &err)),
        }
    }

    fn failed(&self, verb: &str, err: &io::Error) -> Error {
        let what = format!("cannot {verb} map `{}`", self.name);
        match err.raw_os_error() {
            Some(libc::E2BIG) if !self.kind.is_array() => {
                let why = format!("it is full ({} elements)", self.max_entries);
                Error::machine(what, why).with_errno(libc::E2BIG)
            }
            Some(libc::EOPNOTSUPP | 524) => {
                Error::script(what, format!("a map of type {} does not do that", self.kind))
                    .with_errno(libc::EOPNOTSUPP)
            }
            _ => Error::io(what, err),
        }
    }
}

impl AsFd for Map {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// libbpf puts the object's name before `.bss` and its like.
pub(super) fn public_name(map: &RawMap) -> String {
    match map.name.find('.') {
        Some(dot) if map.internal => map.name[dot..].to_owned(),
        _ => map.name.clone(),
    }
}
