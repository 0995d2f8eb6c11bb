// SPDX-License-Identifier: Apache-2.0
//! Reading an object that libbpf opened and prepared, so that it can be closed at once.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use std::ptr;
use std::slice;

use libbpf_rs::{AsRawLibbpf, OpenObject};

use super::check;
use super::prog::{FuncInfo, Insn, LineInfo};

/// A program of an opened object, as its section declares it.
#[derive(Clone, Debug, Default)]
pub struct RawProgram {
    /// The ELF symbol.
    pub symbol: String,
    /// The ELF section.
    pub section: String,
    /// `BPF_PROG_TYPE_*`; 0 when the section says nothing.
    pub prog_type: u32,
    /// `BPF_TRACE_*` and the like.
    pub expected_attach_type: u32,
    /// `BPF_F_*`.
    pub flags: u32,
    /// Whether the section does not begin with `?`, which is not part of [`section`](Self::section).
    pub autoload: bool,
    /// Instructions; relocated once the object is prepared.
    pub insns: Vec<Insn>,
    /// Functions, for the verifier.
    pub func_info: Vec<FuncInfo>,
    /// Lines, for the verifier.
    pub line_info: Vec<LineInfo>,
}

/// A map of an opened object, as it was declared.
#[derive(Clone, Debug)]
pub struct RawMap {
    /// The name libbpf knows it by.
    pub name: String,
    /// `.bss`, `.data`, `.rodata`, `.kconfig`: made by libbpf, not declared as a map.
    pub internal: bool,
    /// `BPF_MAP_TYPE_*`.
    pub kind: u32,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
    /// Elements.
    pub max_entries: u32,
    /// `BPF_F_*`.
    pub flags: u32,
    /// BTF type of a key.
    pub key_type_id: u32,
    /// BTF type of a value.
    pub value_type_id: u32,
    /// The descriptor, once the object is prepared.
    pub fd: i32,
}

/// The programs, in the order of the ELF.
pub fn programs(object: &OpenObject) -> Vec<RawProgram> {
    let mut programs = Vec::new();
    let mut prog = ptr::null_mut();
    loop {
        // SAFETY: the object is open while it is borrowed; null asks for the first program.
        prog = unsafe { libbpf_sys::bpf_object__next_program(object.as_libbpf_object().as_ptr(), prog) };
        if prog.is_null() {
            return programs;
        }
        // SAFETY: `prog` belongs to the open object; its strings and arrays stay where they are until the object is
        // closed or prepared, and are copied here.
        programs.push(unsafe {
            RawProgram {
                symbol: copy_str(libbpf_sys::bpf_program__name(prog)),
                section: copy_str(libbpf_sys::bpf_program__section_name(prog)),
                prog_type: libbpf_sys::bpf_program__type(prog),
                expected_attach_type: libbpf_sys::bpf_program__expected_attach_type(prog),
                flags: libbpf_sys::bpf_program__flags(prog),
                autoload: libbpf_sys::bpf_program__autoload(prog),
                insns: copy_slice(
                    libbpf_sys::bpf_program__insns(prog).cast(),
                    libbpf_sys::bpf_program__insn_cnt(prog) as usize,
                ),
                func_info: copy_slice(
                    libbpf_sys::bpf_program__func_info(prog).cast(),
                    libbpf_sys::bpf_program__func_info_cnt(prog) as usize,
                ),
                line_info: copy_slice(
                    libbpf_sys::bpf_program__line_info(prog).cast(),
                    libbpf_sys::bpf_program__line_info_cnt(prog) as usize,
                ),
            }
        });
    }
}

/// The maps, in the order of the ELF.
pub fn maps(object: &OpenObject) -> Vec<RawMap> {
    let mut maps = Vec::new();
    let mut map = ptr::null_mut();
    loop {
        // SAFETY: the object is open while it is borrowed; null asks for the first map.
        map = unsafe { libbpf_sys::bpf_object__next_map(object.as_libbpf_object().as_ptr(), map) };
        if map.is_null() {
            return maps;
        }
        // SAFETY: `map` belongs to the open object; its name is copied.
        maps.push(unsafe {
            RawMap {
                name: copy_str(libbpf_sys::bpf_map__name(map)),
                internal: libbpf_sys::bpf_map__is_internal(map),
                kind: libbpf_sys::bpf_map__type(map),
                key_size: libbpf_sys::bpf_map__key_size(map),
                value_size: libbpf_sys::bpf_map__value_size(map),
                max_entries: libbpf_sys::bpf_map__max_entries(map),
                flags: libbpf_sys::bpf_map__map_flags(map),
                key_type_id: libbpf_sys::bpf_map__btf_key_type_id(map),
                value_type_id: libbpf_sys::bpf_map__btf_value_type_id(map),
                fd: libbpf_sys::bpf_map__fd(map),
            }
        });
    }
}

/// The programs by where libbpf keeps them, which is what a member of a struct of functions holds.
pub fn program_addresses(object: &OpenObject) -> Vec<(u64, String)> {
    let mut addresses = Vec::new();
    let mut prog = ptr::null_mut();
    loop {
        // SAFETY: the object is open while it is borrowed; null asks for the first program.
        prog = unsafe { libbpf_sys::bpf_object__next_program(object.as_libbpf_object().as_ptr(), prog) };
        if prog.is_null() {
            return addresses;
        }
        // SAFETY: `prog` belongs to the open object; its name is copied.
        addresses.push((prog as u64, unsafe { copy_str(libbpf_sys::bpf_program__name(prog)) }));
    }
}

/// Whether a map of functions is created with the object: not one from a section with `?`.
pub fn is_created(object: &OpenObject, index: usize) -> bool {
    let map = nth_map(object, index);
    // SAFETY: `map` is not null and belongs to the open object.
    !map.is_null() && unsafe { libbpf_sys::bpf_map__autocreate(map) }
}

/// Sets whether a map is created with the object. Before [`prepare`].
pub fn set_created(object: &OpenObject, index: usize, created: bool) {
    let map = nth_map(object, index);
    if !map.is_null() {
        // SAFETY: `map` is not null and belongs to the open object. Only one that is created already is refused.
        unsafe { libbpf_sys::bpf_map__set_autocreate(map, created) };
    }
}

/// Sets the flags that a map is created with. Before [`prepare`].
pub fn set_flags(object: &OpenObject, index: usize, flags: u32) {
    let map = nth_map(object, index);
    if !map.is_null() {
        // SAFETY: `map` is not null and belongs to the open object. Only one that is created already is refused.
        unsafe { libbpf_sys::bpf_map__set_map_flags(map, flags) };
    }
}

/// The contents that a map is made of: of a map of functions its variable, with [`program_addresses`] in it.
pub fn contents(object: &OpenObject, index: usize) -> Vec<u8> {
    let map = nth_map(object, index);
    if map.is_null() {
        return Vec::new();
    }
    let mut size = 0;
    // SAFETY: `map` belongs to the open object.
    let start = unsafe { libbpf_sys::bpf_map__initial_value(map, &mut size) };
    // SAFETY: libbpf gives the start of `size` bytes, or null; they are copied.
    unsafe { copy_slice(start.cast::<u8>(), size as usize) }
}

/// The map at this place in the order of [`maps`].
fn nth_map(object: &OpenObject, index: usize) -> *mut libbpf_sys::bpf_map {
    let mut map = ptr::null_mut();
    for _ in 0..=index {
        // SAFETY: the object is open while it is borrowed; null asks for the first map, and ends the list.
        map = unsafe { libbpf_sys::bpf_object__next_map(object.as_libbpf_object().as_ptr(), map) };
        if map.is_null() {
            break;
        }
    }
    map
}

/// Changes the contents that an internal map is created with. Before [`prepare`].
pub fn set_contents(object: &mut OpenObject, map: usize, offset: usize, bytes: &[u8]) -> io::Result<()> {
    let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
    let map = nth_map(object, map);
    if map.is_null() {
        return Err(invalid());
    }
    let mut size = 0;
    // SAFETY: `map` belongs to the open object.
    let start = unsafe { libbpf_sys::bpf_map__initial_value(map, &mut size) };
    let end = offset.checked_add(bytes.len()).filter(|end| *end <= size as usize);
    if start.is_null() || end.is_none() {
        return Err(invalid());
    }
    // SAFETY: libbpf gives the start of `size` bytes of its own, writable until the object is prepared; the place is
    // within them, and no reference to them is held.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), start.cast::<u8>().add(offset), bytes.len()) };
    Ok(())
}

/// Changes the sizes that a map is created with; 0 leaves what the text says. Before [`prepare`].
pub fn set_sizes(object: &OpenObject, map: usize, max_entries: u32, key_size: u32, value_size: u32) -> io::Result<()> {
    let map = nth_map(object, map);
    let sizes: [(u32, unsafe extern "C" fn(*mut libbpf_sys::bpf_map, u32) -> i32); 3] = [
        (max_entries, libbpf_sys::bpf_map__set_max_entries),
        (key_size, libbpf_sys::bpf_map__set_key_size),
        (value_size, libbpf_sys::bpf_map__set_value_size),
    ];
    for (size, set) in sizes.into_iter().filter(|(size, _)| *size > 0 && !map.is_null()) {
        // SAFETY: `map` is not null and belongs to the open object.
        check(unsafe { set(map, size) })?;
    }
    Ok(())
}

/// Has an existing map take the place of the one that would be created; libbpf duplicates the descriptor.
pub fn reuse(object: &OpenObject, index: usize, fd: BorrowedFd<'_>) -> io::Result<()> {
    match nth_map(object, index) {
        map if map.is_null() => Err(io::Error::from_raw_os_error(libc::EINVAL)),
        // SAFETY: `map` is not null and belongs to the open object.
        map => check(unsafe { libbpf_sys::bpf_map__reuse_fd(map, fd.as_raw_fd()) }).map(drop),
    }
}

/// Sets a map like those that a map of maps will hold. libbpf only notes the number: the descriptor must stay open until
/// the object is prepared.
pub fn set_inner(object: &OpenObject, index: usize, fd: BorrowedFd<'_>) -> io::Result<()> {
    match nth_map(object, index) {
        map if map.is_null() => Err(io::Error::from_raw_os_error(libc::EINVAL)),
        // SAFETY: `map` is not null and belongs to the open object.
        map => check(unsafe { libbpf_sys::bpf_map__set_inner_map_fd(map, fd.as_raw_fd()) }).map(drop),
    }
}

/// Makes libbpf treat these programs as kprobes, so that it does not look for attach targets they do not have yet.
pub fn forget_targets(object: &mut OpenObject, symbols: &[&str]) {
    for mut prog in object.progs_mut() {
        if symbols.iter().any(|symbol| prog.name() == *symbol) {
            prog.set_prog_type(libbpf_rs::ProgramType::Kprobe);
        }
    }
}

/// Makes libbpf relocate every program, those with `?` in their section, too: each may be asked for.
pub fn autoload_all(object: &mut OpenObject) {
    object.progs_mut().for_each(|mut prog| prog.set_autoload(true));
}

/// Relocates the programs, loads the BTF and creates the maps; loads no program.
pub fn prepare(object: &OpenObject) -> io::Result<()> {
    // SAFETY: the object is open; preparing changes what is inside libbpf's object, to which no reference is held.
    check(unsafe { libbpf_sys::bpf_object__prepare(object.as_libbpf_object().as_ptr()) }).map(drop)
}

/// A duplicate of the descriptor of the object's BTF in the kernel, if it has one.
pub fn btf(object: &OpenObject) -> io::Result<Option<OwnedFd>> {
    // SAFETY: the object is open.
    let fd = unsafe { libbpf_sys::bpf_object__btf_fd(object.as_libbpf_object().as_ptr()) };
    if fd < 0 { Ok(None) } else { duplicate(object, fd).map(Some) }
}

/// A duplicate of a descriptor that the open object owns.
pub fn duplicate(_owner: &OpenObject, fd: i32) -> io::Result<OwnedFd> {
    // SAFETY: `fd` came from the object, which is alive, so it is open.
    unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned()
}

/// Gives the descriptors in relocated instructions the numbers of their duplicates.
pub fn renumber_maps(insns: &mut [Insn], old_to_new: &[(i32, i32)]) {
    const LOAD_IMMEDIATE_64: u8 = 0x18;
    let mut index = 0;
    while let Some(insn) = insns.get_mut(index) {
        if insn.code != LOAD_IMMEDIATE_64 {
            index += 1;
            continue;
        }
        let source = u32::from(insn.src());
        if source == libbpf_sys::BPF_PSEUDO_MAP_FD || source == libbpf_sys::BPF_PSEUDO_MAP_VALUE {
            let new = old_to_new.iter().find(|(old, _)| *old == insn.imm);
            insn.imm = new.map_or(insn.imm, |(_, new)| *new);
        }
        index += 2;
    }
}

/// # Safety
/// `text` is null or a C string.
unsafe fn copy_str(text: *const std::ffi::c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// # Safety
/// `start` is null or points to `len` values of a type with the layout of `T`.
unsafe fn copy_slice<T: Clone>(start: *const T, len: usize) -> Vec<T> {
    if start.is_null() || len == 0 {
        return Vec::new();
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(start, len) }.to_vec()
}
