// SPDX-License-Identifier: Apache-2.0
//! Sizes and kinds that depend on the module's data layout.

use llvm_sys::core::*;
use llvm_sys::target::{LLVMGetModuleDataLayout, LLVMStoreSizeOfType};

use super::{Module, Type, Value};

impl<'c> Module<'c> {
    /// The bytes that a load or store of this type touches; `None` for a type without a size.
    pub fn store_bytes(&self, ty: Type<'c>) -> Option<u64> {
        // SAFETY: the module and the type are of one live context; the size is asked of sized types only.
        unsafe {
            (LLVMTypeIsSized(ty.raw()) != 0).then(|| LLVMStoreSizeOfType(LLVMGetModuleDataLayout(self.raw()), ty.raw()))
        }
    }
}

impl Type<'_> {
    /// Whether this is a pointer into another address space than the kernel's: an arena's.
    pub fn is_foreign_pointer(self) -> bool {
        // SAFETY: the type is live; the address space is asked of pointers only.
        self.is_pointer() && unsafe { LLVMGetPointerAddressSpace(self.raw()) != 0 }
    }
}

impl Value<'_> {
    /// Whether this is a constant, a constant expression included.
    pub fn is_constant(self) -> bool {
        // SAFETY: the value is live.
        unsafe { LLVMIsConstant(self.raw()) != 0 }
    }
}
