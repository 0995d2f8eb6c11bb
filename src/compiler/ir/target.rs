// SPDX-License-Identifier: Apache-2.0
//! The BPF target machine.

use std::ffi::CStr;
use std::sync::Once;

use llvm_sys::target_machine::*;

/// Generates BPF instructions; one per compilation.
pub struct Target(LLVMTargetMachineRef);

/// Instruction set version 3 (32-bit operations and jumps): Linux 5.1 and newer.
const CPU: &CStr = c"v3";
const TRIPLE: &CStr = c"bpfel";

unsafe extern "C" {
    fn LLVMInitializeBPFTargetInfo();
    fn LLVMInitializeBPFTarget();
    fn LLVMInitializeBPFTargetMC();
    fn LLVMInitializeBPFAsmPrinter();
    fn LLVMInitializeBPFAsmParser();
}

impl Target {
    /// The machine for the kernel's little-endian BPF.
    pub fn bpf() -> Result<Self, String> {
        static INIT: Once = Once::new();
        // SAFETY: registers the BPF backend once; the functions take no arguments and touch LLVM's registry only.
        INIT.call_once(|| unsafe {
            LLVMInitializeBPFTargetInfo();
            LLVMInitializeBPFTarget();
            LLVMInitializeBPFTargetMC();
            LLVMInitializeBPFAsmPrinter();
            LLVMInitializeBPFAsmParser();
        });
        let mut target = std::ptr::null_mut();
        let mut message = std::ptr::null_mut();
        // SAFETY: the strings are NUL-terminated; the message is disposed of in `take_message`; the machine in `drop`.
        unsafe {
            if LLVMGetTargetFromTriple(TRIPLE.as_ptr(), &raw mut target, &raw mut message) != 0 {
                return Err(super::module::take_message(message));
            }
            let machine = LLVMCreateTargetMachine(
                target,
                TRIPLE.as_ptr(),
                CPU.as_ptr(),
                c"".as_ptr(),
                LLVMCodeGenOptLevel::LLVMCodeGenLevelDefault,
                LLVMRelocMode::LLVMRelocStatic,
                LLVMCodeModel::LLVMCodeModelDefault,
            );
            Ok(Target(machine))
        }
    }

    /// The target's name.
    pub(super) fn triple(&self) -> &'static CStr {
        TRIPLE
    }

    pub(super) fn raw(&self) -> LLVMTargetMachineRef {
        self.0
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        // SAFETY: created in `bpf` and not handed out.
        unsafe { LLVMDisposeTargetMachine(self.0) }
    }
}
