// SPDX-License-Identifier: Apache-2.0
//! `BPF_PROG_LOAD` and what the kernel tells of a program.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr;

use super::check_fd;

/// One BPF instruction, as the kernel lays it out.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Insn {
    /// Operation code.
    pub code: u8,
    /// Destination register in the low, source register in the high four bits.
    pub regs: u8,
    /// Offset.
    pub off: i16,
    /// Immediate.
    pub imm: i32,
}

impl Insn {
    /// As it lies in memory.
    pub fn bytes(self) -> [u8; 8] {
        let (off, imm) = (self.off.to_ne_bytes(), self.imm.to_ne_bytes());
        [self.code, self.regs, off[0], off[1], imm[0], imm[1], imm[2], imm[3]]
    }

    /// The number of the kernel's helper that it calls, if it calls one.
    pub fn called_helper(self) -> Option<i32> {
        (self.code == (libbpf_sys::BPF_JMP | libbpf_sys::BPF_CALL) as u8 && self.src() == 0).then_some(self.imm)
    }

    /// The source register, or the kind of a pseudo load or call.
    pub fn src(self) -> u8 {
        self.regs >> 4
    }
}

/// Where an instruction comes from; offsets are into the strings of the object's BTF.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineInfo {
    /// Index of the first instruction of the line.
    pub insn: u32,
    /// The file's name.
    pub file_name_off: u32,
    /// The text of the line.
    pub line_off: u32,
    /// `line << 10 | column`.
    pub line_col: u32,
}

impl LineInfo {
    /// The line, from 1.
    pub fn line(self) -> u32 {
        self.line_col >> 10
    }

    /// The column, from 1; 0 when unknown.
    pub fn column(self) -> u32 {
        self.line_col & 0x3ff
    }
}

/// Which BTF function a subprogram is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FuncInfo {
    /// Index of its first instruction.
    pub insn: u32,
    /// The function's type.
    pub type_id: u32,
}

/// The arguments of one `BPF_PROG_LOAD`.
#[derive(Debug)]
pub struct LoadRequest<'a> {
    /// `BPF_PROG_TYPE_*`.
    pub prog_type: u32,
    /// `BPF_TRACE_FENTRY` and the like; 0 for none.
    pub expected_attach_type: u32,
    /// `BPF_F_*`.
    pub flags: u32,
    /// The network device that is to run it; 0 for the processor.
    pub device: u32,
    /// Shown by `bpftool`; the kernel keeps 15 characters.
    pub name: &'a CStr,
    /// The licence that the C text declares.
    pub license: &'a CStr,
    /// Relocated instructions.
    pub insns: &'a [Insn],
    /// The object's BTF in the kernel.
    pub btf: Option<BorrowedFd<'a>>,
    /// Functions, for the verifier's log and `bpftool`.
    pub func_info: &'a [FuncInfo],
    /// Lines, for the same.
    pub line_info: &'a [LineInfo],
    /// BTF id of the function to trace; 0 for none.
    pub attach_btf_id: u32,
    /// The BTF that this id is of; the kernel's own when none.
    pub attach_btf: Option<BorrowedFd<'a>>,
    /// The BTF of kernel modules by the numbers in calls of their functions; the first is not used. Empty for none.
    pub module_btf: &'a [RawFd],
    /// The program whose function is replaced; the id is of its BTF then.
    pub attach_prog: Option<BorrowedFd<'a>>,
}

/// Loads a program. With a log buffer, the verifier writes at this level into it, as a C string.
pub fn load(request: &LoadRequest<'_>, log: Option<(u32, &mut [u8])>) -> io::Result<OwnedFd> {
    let mut opts = libbpf_sys::bpf_prog_load_opts {
        sz: size_of::<libbpf_sys::bpf_prog_load_opts>() as _,
        expected_attach_type: request.expected_attach_type,
        prog_flags: request.flags,
        prog_ifindex: request.device,
        attach_btf_id: request.attach_btf_id,
        attach_btf_obj_fd: request.attach_btf.map_or(0, |fd| fd.as_raw_fd() as u32),
        attach_prog_fd: request.attach_prog.map_or(0, |fd| fd.as_raw_fd() as u32),
        ..Default::default()
    };
    if let Some(btf) = request.btf {
        opts.prog_btf_fd = btf.as_raw_fd() as u32;
        opts.func_info = request.func_info.as_ptr().cast();
        opts.func_info_cnt = request.func_info.len() as u32;
        opts.func_info_rec_size = size_of::<FuncInfo>() as u32;
        opts.line_info = request.line_info.as_ptr().cast();
        opts.line_info_cnt = request.line_info.len() as u32;
        opts.line_info_rec_size = size_of::<LineInfo>() as u32;
    }
    if !request.module_btf.is_empty() {
        opts.fd_array = request.module_btf.as_ptr();
    }
    if let Some((level, buffer)) = log {
        opts.log_level = level;
        opts.log_size = buffer.len() as u32;
        opts.log_buf = buffer.as_mut_ptr().cast();
    }
    // SAFETY: every pointer in `opts` and every argument points to memory that outlives the call and has the size
    // given beside it; `Insn` has the layout of `bpf_insn`.
    check_fd(unsafe {
        libbpf_sys::bpf_prog_load(
            request.prog_type,
            request.name.as_ptr(),
            request.license.as_ptr(),
            request.insns.as_ptr().cast(),
            request.insns.len() as _,
            ptr::from_mut(&mut opts),
        )
    })
}

/// The parts of `struct bpf_prog_info` that are shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProgInfo {
    /// The kernel's number for the program.
    pub id: u32,
    /// Times it ran, while statistics were on.
    pub runs: u64,
    /// Nanoseconds it ran, while statistics were on.
    pub time_ns: u64,
    /// Runs left out because the program was already running on that CPU.
    pub recursion_misses: u64,
    /// The kernel's number for its BTF; 0 when it has none.
    pub btf_id: u32,
}

/// Asks the kernel about a program.
pub fn info(prog: BorrowedFd<'_>) -> io::Result<ProgInfo> {
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut len = size_of::<libbpf_sys::bpf_prog_info>() as u32;
    // SAFETY: `info` is a zeroed `bpf_prog_info` of `len` bytes that asks for no arrays.
    super::check(unsafe { libbpf_sys::bpf_prog_get_info_by_fd(prog.as_raw_fd(), &mut info, &mut len) })?;
    Ok(ProgInfo {
        id: info.id,
        runs: info.run_cnt,
        time_ns: info.run_time_ns,
        recursion_misses: info.recursion_misses,
        btf_id: info.btf_id,
    })
}

/// A descriptor of the program with this number.
pub fn open(id: u32) -> io::Result<OwnedFd> {
    // SAFETY: takes a number.
    check_fd(unsafe { libbpf_sys::bpf_prog_get_fd_by_id(id) })
}

/// The name of the program with this number, up to 15 characters of it.
pub fn name_of(id: u32) -> Option<String> {
    let prog = open(id).ok()?;
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut len = size_of::<libbpf_sys::bpf_prog_info>() as u32;
    // SAFETY: `info` is a zeroed `bpf_prog_info` of `len` bytes that asks for no arrays.
    super::check(unsafe { libbpf_sys::bpf_prog_get_info_by_fd(prog.as_raw_fd(), &mut info, &mut len) }).ok()?;
    Some(info.name.iter().map(|&c| c as u8 as char).take_while(|&c| c != '\0').collect())
}

/// Makes the kernel count the runs of all programs until the descriptor is closed.
pub fn count_runs() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers.
    check_fd(unsafe { libbpf_sys::bpf_enable_stats(libbpf_sys::BPF_STATS_RUN_TIME) })
}
