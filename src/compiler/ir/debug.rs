// SPDX-License-Identifier: Apache-2.0
//! Debug information: where an instruction stands in the user's text, and the types of a function's parameters.

use std::ffi::c_uint;

use llvm_sys::core::*;
use llvm_sys::debuginfo::*;
use llvm_sys::prelude::{LLVMMetadataRef, LLVMValueRef};

use super::{Context, Value};

/// A line of one of the user's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePlace {
    /// The file as it was named to the front end.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
}

/// Blocks in each other that a function has at most.
const MAX_BLOCKS: u32 = 64;

/// Operand numbers of the metadata nodes, as LLVM 19 lays them out (`DebugInfoMetadata.h`).
pub(super) mod operand {
    /// `DISubprogram`: its `DISubroutineType`.
    pub const SUBPROGRAM_TYPE: usize = 4;
    /// `DISubroutineType`: the list of types, the return type first.
    pub const SUBROUTINE_TYPES: usize = 3;
    /// `DIType`, `DISubprogram`: its name.
    pub const TYPE_NAME: usize = 2;
    /// `DILexicalBlock`: what it is in.
    pub const BLOCK_SCOPE: usize = 1;
    /// `DIDerivedType`: what it points to or is another name of.
    pub const DERIVED_BASE: usize = 3;
    /// `DIGlobalVariable`: its type.
    pub const VARIABLE_TYPE: usize = 3;
}

impl<'c> Value<'c> {
    /// Where an instruction stands in the outermost file that the user wrote: an inlined call's place is its caller's.
    pub fn place(self) -> Option<SourcePlace> {
        // SAFETY: an instruction of a live module; metadata handles are checked for null before use.
        unsafe {
            let mut location = LLVMInstructionGetDebugLoc(self.raw());
            let mut place = None;
            while !location.is_null() {
                let found = source_place(location);
                // The dialect's own headers are not the user's text: go on to the call that was inlined.
                let ours = found.as_ref().is_some_and(|p| p.file.starts_with(super::super::prelude::ROOT));
                if place.is_none()
                    || place.as_ref().is_some_and(|p: &SourcePlace| p.file.starts_with(super::super::prelude::ROOT))
                {
                    place = found;
                }
                if !ours {
                    break;
                }
                location = LLVMDILocationGetInlinedAt(location);
            }
            place
        }
    }

    /// For an instruction of a function that was inlined: that function's name, and the outermost call that led to it.
    pub fn inlined(self) -> Option<(String, SourcePlace)> {
        // SAFETY: an instruction of a live module; metadata handles are checked for null before use.
        unsafe {
            let location = LLVMInstructionGetDebugLoc(self.raw());
            let mut outermost = (!location.is_null()).then_some(location)?;
            loop {
                let caller = LLVMDILocationGetInlinedAt(outermost);
                if caller.is_null() {
                    break;
                }
                outermost = caller;
            }
            if outermost == location {
                return None;
            }
            // A block inside the function has the function around it.
            let module = LLVMGetGlobalParent(LLVMGetBasicBlockParent(LLVMGetInstructionParent(self.raw())));
            let context = LLVMGetModuleContext(module);
            let mut scope = LLVMMetadataAsValue(context, LLVMDILocationGetScope(location));
            for _ in 0..MAX_BLOCKS {
                let kind = LLVMGetMetadataKind(LLVMValueAsMetadata(scope));
                if matches!(kind, LLVMMetadataKind::LLVMDISubprogramMetadataKind) {
                    break;
                }
                scope = node_operand(scope, operand::BLOCK_SCOPE)?;
            }
            Some((md_string(node_operand(scope, operand::TYPE_NAME)?)?, source_place(outermost)?))
        }
    }

    /// For a function: its first line in the user's text.
    pub fn definition_line(self) -> Option<u32> {
        // SAFETY: a function of a live module.
        unsafe {
            let subprogram = LLVMGetSubprogram(self.raw());
            (!subprogram.is_null()).then(|| LLVMDISubprogramGetLine(subprogram))
        }
    }

    /// For a function: the names of the record types its parameters point to (`pt_regs` for `struct pt_regs *`), `None`
    /// for a parameter that points to no named record.
    pub fn param_pointees(self, context: &'c Context) -> Vec<Option<String>> {
        // SAFETY: a function of a live module; every node is checked before its operands are read.
        unsafe {
            let subprogram = LLVMGetSubprogram(self.raw());
            if subprogram.is_null() {
                return Vec::new();
            }
            let node = |metadata: LLVMMetadataRef| LLVMMetadataAsValue(context.raw(), metadata);
            let Some(ty) = node_operand(node(subprogram), operand::SUBPROGRAM_TYPE) else { return Vec::new() };
            let Some(types) = node_operand(ty, operand::SUBROUTINE_TYPES) else { return Vec::new() };
            node_operands(types).into_iter().skip(1).map(|param| pointee_name(param)).collect()
        }
    }

    /// Moves the debug information of function `from` to this function.
    pub fn take_subprogram(self, from: Value<'c>) {
        // SAFETY: both are functions of a live module; null removes a function's subprogram.
        unsafe {
            LLVMSetSubprogram(self.raw(), LLVMGetSubprogram(from.raw()));
            LLVMSetSubprogram(from.raw(), std::ptr::null_mut());
        }
    }
}

/// The operands of a metadata node; null ones stay, so that indices hold.
///
/// # Safety
/// `node` is a metadata node as a value.
pub(super) unsafe fn node_operands(node: LLVMValueRef) -> Vec<LLVMValueRef> {
    // SAFETY: LLVM fills as many entries as it counts.
    unsafe {
        if LLVMIsAMDNode(node).is_null() {
            return Vec::new();
        }
        let mut operands = vec![std::ptr::null_mut(); LLVMGetMDNodeNumOperands(node) as usize];
        LLVMGetMDNodeOperands(node, operands.as_mut_ptr());
        operands
    }
}

/// # Safety
/// `node` is a metadata node as a value.
pub(super) unsafe fn node_operand(node: LLVMValueRef, index: usize) -> Option<LLVMValueRef> {
    // SAFETY: see `node_operands`.
    unsafe { node_operands(node) }.get(index).copied().filter(|operand| !operand.is_null())
}

/// The record name behind a pointer type, through typedefs and qualifiers.
///
/// # Safety
/// `ty` is null or a debug type as a value.
unsafe fn pointee_name(ty: LLVMValueRef) -> Option<String> {
    let mut node = ty;
    // A pointer, then any number of qualifiers and typedefs; ten are more than anyone writes.
    for _ in 0..10 {
        if node.is_null() {
            return None;
        }
        // SAFETY: `node` is a live metadata node; its kind is asked before it is read as one.
        unsafe {
            let metadata = LLVMValueAsMetadata(node);
            match LLVMGetMetadataKind(metadata) {
                LLVMMetadataKind::LLVMDIDerivedTypeMetadataKind => node = node_operand(node, operand::DERIVED_BASE)?,
                LLVMMetadataKind::LLVMDICompositeTypeMetadataKind => {
                    return md_string(node_operand(node, operand::TYPE_NAME)?);
                }
                _ => return None,
            }
        }
    }
    None
}

/// # Safety
/// `value` is a metadata string as a value, or another value (then the result is `None`).
pub(super) unsafe fn md_string(value: LLVMValueRef) -> Option<String> {
    let mut len: c_uint = 0;
    // SAFETY: LLVM returns null for values that are not strings.
    unsafe {
        let text = LLVMGetMDString(value, &raw mut len);
        (!text.is_null())
            .then(|| String::from_utf8_lossy(std::slice::from_raw_parts(text.cast(), len as usize)).into_owned())
    }
}

/// # Safety
/// `location` is a debug location.
unsafe fn source_place(location: LLVMMetadataRef) -> Option<SourcePlace> {
    // SAFETY: a debug location has a scope; its file may be null.
    unsafe {
        let file = LLVMDIScopeGetFile(LLVMDILocationGetScope(location));
        if file.is_null() {
            return None;
        }
        let mut len = 0;
        let name = LLVMDIFileGetFilename(file, &raw mut len);
        let file = String::from_utf8_lossy(std::slice::from_raw_parts(name.cast(), len as usize)).into_owned();
        Some(SourcePlace { file, line: LLVMDILocationGetLine(location), column: LLVMDILocationGetColumn(location) })
    }
}
