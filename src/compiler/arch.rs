// SPDX-License-Identifier: Apache-2.0
//! Where each architecture keeps a function's arguments and result in `struct pt_regs`.

/// An architecture whose kernels bpflua compiles for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arch {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm.
    Arm64,
}

/// Byte offsets in `struct pt_regs` (`arch/*/include/asm/ptrace.h` of the kernel).
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    /// A function's arguments in order, by the kernel's calling convention.
    pub params: &'static [u32],
    /// A system call's arguments in order, in the registers user space passed.
    pub syscall_params: &'static [u32],
    /// What a function returned.
    pub result: u32,
    /// The instruction pointer.
    pub instruction_pointer: u32,
    /// The number of the system call being run.
    pub syscall_number: u32,
}

const X86_64: Registers = Registers {
    params: &[112, 104, 96, 88, 72, 64],
    syscall_params: &[112, 104, 96, 56, 72, 64],
    result: 80,
    instruction_pointer: 128,
    syscall_number: 120,
};

const ARM64: Registers = Registers {
    params: &[0, 8, 16, 24, 32, 40, 48, 56],
    // `orig_x0` keeps the first argument after the result has overwritten x0.
    syscall_params: &[272, 8, 16, 24, 32, 40],
    result: 0,
    instruction_pointer: 256,
    syscall_number: 280,
};

impl Arch {
    /// The architecture this executable runs on.
    pub const NATIVE: Arch = if cfg!(target_arch = "aarch64") { Arch::Arm64 } else { Arch::X86_64 };

    /// The architecture by the name that `uname -m` has for it.
    pub fn of_machine(name: &str) -> Option<Arch> {
        match name {
            "x86_64" => Some(Arch::X86_64),
            "aarch64" => Some(Arch::Arm64),
            _ => None,
        }
    }

    /// The register table.
    pub fn registers(self) -> &'static Registers {
        match self {
            Arch::X86_64 => &X86_64,
            Arch::Arm64 => &ARM64,
        }
    }

    /// The suffix of libbpf's `__TARGET_ARCH_*` define.
    pub fn target_define(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86",
            Arch::Arm64 => "arm64",
        }
    }

    /// What clang calls the architecture's Linux, for headers that hold its instructions.
    pub fn host_triple(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64-unknown-linux-gnu",
            Arch::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }
}
