// SPDX-License-Identifier: Apache-2.0
//! Sizes and kinds that depend on the module's data layout.

use llvm_sys::LLVMTypeKind;
use llvm_sys::core::*;
use llvm_sys::target::{LLVMABIAlignmentOfType, LLVMGetModuleDataLayout, LLVMOffsetOfElement, LLVMStoreSizeOfType};

use super::{Module, Type, Value};

impl<'c> Module<'c> {
    /// The bytes that a load or store of this type touches; `None` for a type without a size.
    pub fn store_bytes(&self, ty: Type<'c>) -> Option<u64> {
        // SAFETY: the module and the type are of one live context; the size is asked of sized types only.
        unsafe {
            (LLVMTypeIsSized(ty.raw()) != 0).then(|| LLVMStoreSizeOfType(LLVMGetModuleDataLayout(self.raw()), ty.raw()))
        }
    }

    /// What addresses of a struct are multiples of.
    pub fn alignment(&self, ty: Type<'c>) -> u64 {
        // SAFETY: as above; the type is the struct that an access is into, which has a size.
        unsafe { LLVMABIAlignmentOfType(LLVMGetModuleDataLayout(self.raw()), ty.raw()).into() }
    }

    /// For a struct type: how many bytes before element `index` lie.
    pub fn element_offset(&self, ty: Type<'c>, index: u32) -> Option<u64> {
        // SAFETY: as above; the type is a struct with that many elements.
        unsafe {
            let is_struct = LLVMGetTypeKind(ty.raw()) == LLVMTypeKind::LLVMStructTypeKind;
            (is_struct && index < LLVMCountStructElementTypes(ty.raw()))
                .then(|| LLVMOffsetOfElement(LLVMGetModuleDataLayout(self.raw()), ty.raw(), index))
        }
    }
}

impl<'c> Type<'c> {
    /// For an array type: what an element is.
    pub fn element(self) -> Option<Type<'c>> {
        // SAFETY: the type is live; its element is asked of arrays only.
        unsafe {
            (LLVMGetTypeKind(self.raw()) == LLVMTypeKind::LLVMArrayTypeKind)
                .then(|| Type::from_raw(LLVMGetElementType(self.raw())))
        }
    }
}

impl<'c> Value<'c> {
    /// For a call: the type that argument `index` is said to point to.
    pub fn argument_element(self, index: u32) -> Option<Type<'c>> {
        const NAME: &str = "elementtype";
        // SAFETY: a call of the live module; attribute indices count the result as 0.
        unsafe {
            let kind = LLVMGetEnumAttributeKindForName(NAME.as_ptr().cast(), NAME.len());
            let attribute = LLVMGetCallSiteEnumAttribute(self.raw(), index + 1, kind);
            (!attribute.is_null()).then(|| Type::from_raw(LLVMGetTypeAttributeValue(attribute)))
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
