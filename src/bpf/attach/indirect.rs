// SPDX-License-Identifier: Apache-2.0
//! Indirect functions, such as the C library's `strlen`: which of several a program uses.
//!
//! When a program starts, the dynamic linker calls the function's resolver and keeps the address that it gives in a slot of
//! the file's own, which a relocation `IRELATIVE` names. The choice follows the processor, so that any process with the
//! file mapped tells it, this one among them; nothing is run to find it out.

use std::fs::{self, File};
use std::io::BufReader;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use object::elf::{R_AARCH64_IRELATIVE, R_X86_64_IRELATIVE};
use object::read::ReadRef;
use object::{Architecture, Object as _, RelocationFlags};

use super::uprobe_file;
use crate::symbolize::process::{Backing, Mapping, Mappings};

/// The offset in the file of the function that was chosen, where a process shows it: `pid` if there is one, else this
/// process, else any. `resolver` is the address of the indirect function.
pub(super) fn chosen<'data, R: ReadRef<'data>>(
    file: &object::File<'data, R>,
    path: &Path,
    resolver: u64,
    pid: Option<i32>,
) -> Option<u64> {
    let slots = slots(file, resolver);
    let inode = fs::metadata(path).ok()?.ino();
    let is_ours = |mapping: &Mapping| match &mapping.backing {
        Backing::File { path: mapped, inode: number, .. } => *number == inode && mapped.file_name() == path.file_name(),
        _ => false,
    };
    let asked: Vec<i32> = pid.into_iter().chain([std::process::id() as i32]).collect();
    let look = |pid: i32| slots.iter().find_map(|slot| in_process(pid, *slot, &is_ours));
    asked.into_iter().find_map(look).or_else(|| processes().find_map(look))
}

/// Where in the file the linker keeps what the resolver chose.
fn slots<'data, R: ReadRef<'data>>(file: &object::File<'data, R>, resolver: u64) -> Vec<u64> {
    let wanted = match file.architecture() {
        Architecture::X86_64 => R_X86_64_IRELATIVE,
        Architecture::Aarch64 => R_AARCH64_IRELATIVE,
        _ => return Vec::new(),
    };
    let relocations = file.dynamic_relocations().into_iter().flatten();
    let ours = relocations.filter(|(_, relocation)| {
        let is_indirect = matches!(relocation.flags(), RelocationFlags::Elf { r_type } if r_type == wanted);
        is_indirect && relocation.addend() as u64 == resolver
    });
    ours.filter_map(|(address, _)| uprobe_file::in_file(file, address)).collect()
}

/// What a process has in the slot, as an offset in the file.
fn in_process(pid: i32, slot: u64, is_ours: &impl Fn(&Mapping) -> bool) -> Option<u64> {
    let maps = File::open(format!("/proc/{pid}/maps")).ok()?;
    let mappings = Mappings::parse(BufReader::new(maps)).ok()?;
    let has_slot = |one: &&Mapping| is_ours(one) && (one.offset..one.offset + (one.end - one.start)).contains(&slot);
    let mut places = mappings.iter().filter(has_slot);
    places.find_map(|place| {
        let mut bytes = [0; 8];
        let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
        memory.read_exact_at(&mut bytes, place.start + (slot - place.offset)).ok()?;
        let address = u64::from_le_bytes(bytes);
        // A slot that was not filled, or a function of the vDSO, is nothing in this file.
        let mapping = mappings.at(address).filter(|mapping| mapping.executable && is_ours(mapping))?;
        Some(mapping.file_offset(address))
    })
}

fn processes() -> impl Iterator<Item = i32> {
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    folders.filter_map(|folder| folder.file_name().to_str()?.parse().ok())
}
