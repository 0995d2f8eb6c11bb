// SPDX-License-Identifier: Apache-2.0
//! Records behind pointers: LLVM's types have their names, the debug information their members.

use std::collections::HashSet;

use llvm_sys::LLVMTypeKind;
use llvm_sys::core::*;
use llvm_sys::debuginfo::{LLVMGetMetadataKind, LLVMGetSubprogram, LLVMMetadataKind};

use super::access::Record;
use super::debug::node_operands;
use super::{Context, Opcode, Type, Value};

/// What attributes say that a parameter points to.
const BY_VALUE: [&str; 2] = ["byval", "sret"];

impl<'c> Value<'c> {
    /// The struct that a variable, a member of one or a parameter by value is, where LLVM has its type.
    pub fn held_type(self) -> Option<Type<'c>> {
        // SAFETY: values of the live module; each question is asked of what has an answer.
        unsafe {
            match self.opcode() {
                Some(Opcode::LLVMAlloca) => Some(Type::from_raw(LLVMGetAllocatedType(self.raw()))),
                Some(Opcode::LLVMGetElementPtr) => {
                    let mut at = Type::<'c>::from_raw(LLVMGetGEPSourceElementType(self.raw()));
                    for index in self.operands().into_iter().skip(2) {
                        at = at.inner(index.as_constant()?)?;
                    }
                    Some(at)
                }
                Some(_) => None,
                None if self.is_global() => Some(Type::from_raw(LLVMGlobalGetValueType(self.raw()))),
                None => self.by_value(),
            }
        }
    }

    fn by_value(self) -> Option<Type<'c>> {
        // SAFETY: a live value; the parent is asked of parameters only.
        unsafe {
            if LLVMIsAArgument(self.raw()).is_null() {
                return None;
            }
            let function = Value::<'c>::from_raw(LLVMGetParamParent(self.raw()));
            let index = function.params().iter().position(|&param| param == self)? as u32 + 1;
            BY_VALUE.iter().find_map(|name| {
                let kind = LLVMGetEnumAttributeKindForName(name.as_ptr().cast(), name.len());
                let attribute = LLVMGetEnumAttributeAtIndex(function.raw(), index, kind);
                (!attribute.is_null()).then(|| Type::from_raw(LLVMGetTypeAttributeValue(attribute)))
            })
        }
    }

    /// The records with this `btf_decl_tag` that a function's debug information reaches, each with its name.
    pub fn tagged_records(self, context: &'c Context, tag: &str) -> Vec<(String, Record)> {
        let mut found = Vec::new();
        // SAFETY: a function of the live module; a node's kind is asked before it is read as one.
        unsafe {
            let subprogram = LLVMGetSubprogram(self.raw());
            if subprogram.is_null() {
                return found;
            }
            let mut seen = HashSet::new();
            let mut pending = vec![LLVMMetadataAsValue(context.raw(), subprogram)];
            while let Some(node) = pending.pop() {
                let metadata = LLVMValueAsMetadata(node);
                if LLVMIsAMDNode(node).is_null() || !seen.insert(metadata) {
                    continue;
                }
                match LLVMGetMetadataKind(metadata) {
                    LLVMMetadataKind::LLVMDICompileUnitMetadataKind => continue,
                    LLVMMetadataKind::LLVMDICompositeTypeMetadataKind => {
                        let record = Record::of_node(node);
                        found.extend(record.name().filter(|_| record.has_tag(tag)).map(|name| (name, record)));
                    }
                    _ => {}
                }
                pending.extend(node_operands(node).into_iter().filter(|operand| !operand.is_null()));
            }
        }
        found
    }
}

impl Type<'_> {
    /// For a struct or array type: the type of element `index`.
    fn inner(self, index: u64) -> Option<Self> {
        // SAFETY: the type is live; elements are asked of structs that have as many.
        unsafe {
            if LLVMGetTypeKind(self.raw()) != LLVMTypeKind::LLVMStructTypeKind {
                return self.element();
            }
            let index = u32::try_from(index).ok().filter(|&index| index < LLVMCountStructElementTypes(self.raw()))?;
            Some(Type::from_raw(LLVMStructGetTypeAtIndex(self.raw(), index)))
        }
    }

    /// The C name of a struct.
    pub fn struct_name(self) -> Option<String> {
        // SAFETY: the type is live; a name is asked of structs only, and is null for those without one.
        unsafe {
            if LLVMGetTypeKind(self.raw()) != LLVMTypeKind::LLVMStructTypeKind {
                return None;
            }
            let name = LLVMGetStructName(self.raw());
            let name = (!name.is_null()).then(|| std::ffi::CStr::from_ptr(name).to_string_lossy().into_owned())?;
            name.strip_prefix("struct.").map(str::to_owned)
        }
    }
}
