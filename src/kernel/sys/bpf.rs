// SPDX-License-Identifier: Apache-2.0
//! bpf(2): just what the feature probes ask of it.

use super::attr::Attr;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The commands of bpf(2), numbered by include/uapi/linux/bpf.h.
#[derive(Clone, Copy)]
enum Command {
    MapCreate = 0,
    ProgLoad = 5,
    RawTracepointOpen = 17,
    MapUpdateBatch = 26,
    LinkCreate = 28,
}

/// One instruction, encoded.
pub(in crate::kernel) type Insn = [u8; 8];

/// What a probe loads.
pub(in crate::kernel) struct Program<'a> {
    pub prog_type: u32,
    pub expected_attach_type: u32,
    pub attach_btf_id: u32,
    pub insns: &'a [Insn],
    /// Linux checks it for kprobes before 5.0 only.
    pub kernel_version: u32,
}

/// What a probe creates a map with.
pub(in crate::kernel) struct Map {
    pub map_type: u32,
    pub key_size: u32,
    pub value_size: u32,
    pub max_entries: u32,
    pub flags: u32,
}

/// Where a probe links a program to.
pub(in crate::kernel) enum Target<'a> {
    /// What the program's attach type says by itself (iterators).
    Itself,
    /// One kernel function by name, as kprobe-multi takes it.
    KernelFunction(&'a CStr),
    /// A place in a file, as uprobe-multi takes it.
    File { path: &'a CStr, offset: u64 },
}

/// `BPF_PROG_LOAD`; the verifier's log goes to `log`, which stays zero after it.
pub(in crate::kernel) fn load_program(program: &Program<'_>, log: &mut [u8]) -> io::Result<OwnedFd> {
    let mut attr = Attr::new()
        .u32(0, program.prog_type)
        .u32(4, program.insns.len() as u32)
        .pointer(8, program.insns)
        .pointer(16, c"GPL".to_bytes_with_nul())
        .u32(40, program.kernel_version)
        .u32(68, program.expected_attach_type)
        .u32(108, program.attach_btf_id);
    if !log.is_empty() {
        attr = attr.u32(24, 1).u32(28, log.len() as u32).buffer(32, log);
    }
    open(Command::ProgLoad, attr)
}

/// `BPF_MAP_CREATE`.
pub(in crate::kernel) fn create_map(map: &Map) -> io::Result<OwnedFd> {
    let attr = Attr::new()
        .u32(0, map.map_type)
        .u32(4, map.key_size)
        .u32(8, map.value_size)
        .u32(12, map.max_entries)
        .u32(16, map.flags);
    open(Command::MapCreate, attr)
}

/// `BPF_MAP_UPDATE_BATCH` of `count` entries. The map's key and value size times `count` must be the slices' lengths.
pub(in crate::kernel) fn update_batch(map: BorrowedFd<'_>, keys: &[u8], values: &[u8], count: u32) -> io::Result<()> {
    let attr = Attr::new().pointer(16, keys).pointer(24, values).u32(32, count).i32(36, map.as_raw_fd());
    call(Command::MapUpdateBatch, attr).map(drop)
}

/// `BPF_RAW_TRACEPOINT_OPEN`: by name for raw tracepoints, without for programs that name their target in BTF.
pub(in crate::kernel) fn open_raw_tracepoint(name: Option<&CStr>, program: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let mut attr = Attr::new().i32(8, program.as_raw_fd());
    if let Some(name) = name {
        attr = attr.pointer(0, name.to_bytes_with_nul());
    }
    open(Command::RawTracepointOpen, attr)
}

/// `BPF_LINK_CREATE`.
pub(in crate::kernel) fn create_link(
    program: BorrowedFd<'_>,
    attach_type: u32,
    target: &Target<'_>,
) -> io::Result<OwnedFd> {
    let (names, offsets);
    let mut attr = Attr::new().i32(0, program.as_raw_fd()).u32(8, attach_type);
    match target {
        Target::Itself => {}
        Target::KernelFunction(name) => {
            names = [name.as_ptr() as u64];
            attr = attr.u32(20, 1).pointer(24, &names);
        }
        Target::File { path, offset } => {
            offsets = [*offset];
            attr = attr.pointer(16, path.to_bytes_with_nul()).pointer(24, &offsets).u32(48, 1);
        }
    }
    open(Command::LinkCreate, attr)
}

fn call(command: Command, mut attr: Attr<'_>) -> io::Result<i32> {
    // SAFETY: the block is `Attr::SIZE` bytes long and lives through the call. Every pointer in it was put there from a
    // slice that the block borrows (`Attr::pointer`, `Attr::buffer`) or, for a list of names, from a `CStr` that the
    // caller of `create_link` borrows; each count beside a pointer is that of its slice.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command as i32, attr.as_mut_ptr(), Attr::SIZE) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
}

fn open(command: Command, attr: Attr<'_>) -> io::Result<OwnedFd> {
    let fd = call(command, attr)?;
    // SAFETY: these commands return a new descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
