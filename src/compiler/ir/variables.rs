// SPDX-License-Identifier: Apache-2.0
//! Global variables: which there are, and what those that are pointers point to.

use llvm_sys::core::*;
use llvm_sys::debuginfo::*;
use llvm_sys::prelude::LLVMMetadataRef;

use super::access::DEBUG_KIND;
use super::debug::{md_string, node_operand, operand};
use super::module::walk;
use super::{Context, Module, Value};

/// Tags of debug types, as DWARF numbers them.
const TYPEDEF: u16 = 0x16;
const CONST: u16 = 0x26;
const VOLATILE: u16 = 0x35;
const POINTER: u16 = 0x0f;
const STRUCTURE: u16 = 0x13;
const UNION: u16 = 0x17;

/// A type behind its typedefs and qualifiers.
#[derive(Clone, Debug)]
pub struct Pointee {
    node: LLVMMetadataRef,
    /// As the text calls it.
    pub name: String,
}

/// The same node is the same type, whatever a typedef calls it.
impl PartialEq for Pointee {
    fn eq(&self, other: &Pointee) -> bool {
        self.node == other.node
    }
}

impl<'c> Module<'c> {
    /// The global variables, in order.
    pub fn globals(&self) -> Vec<Value<'c>> {
        // SAFETY: walks the live module's list of globals; LLVM ends it with null.
        unsafe {
            walk(LLVMGetFirstGlobal(self.raw()), |global| LLVMGetNextGlobal(global))
                .into_iter()
                .map(|global| Value::from_raw(global))
                .collect()
        }
    }
}

impl<'c> Value<'c> {
    /// For a global variable that is a pointer: what to. `None` for `void`, and for what is not known.
    pub fn pointee(self, context: &'c Context) -> Option<Pointee> {
        // SAFETY: a global of the live module; a node's kind is asked before it is read as one.
        unsafe {
            let expression = self.global_metadata(DEBUG_KIND, context)?;
            let pointer = node_operand(node_operand(expression, 0)?, operand::VARIABLE_TYPE)?;
            let mut node = node_operand(pointer, operand::DERIVED_BASE)?;
            let mut name = None;
            loop {
                let metadata = LLVMValueAsMetadata(node);
                let tag = tag_of(metadata);
                let own = node_operand(node, operand::TYPE_NAME).and_then(|text| md_string(text));
                if !matches!(tag, TYPEDEF | CONST | VOLATILE) {
                    return Some(Pointee { node: metadata, name: name.unwrap_or_else(|| words(tag, own)) });
                }
                name = name.or(own);
                // A qualified `void` has no base.
                node = node_operand(node, operand::DERIVED_BASE)?;
            }
        }
    }
}

/// The DWARF tag of a debug type; 0 for what is none.
///
/// # Safety
/// A live metadata node.
unsafe fn tag_of(metadata: LLVMMetadataRef) -> u16 {
    // SAFETY: the kind is asked first; only debug nodes have a tag.
    unsafe {
        match LLVMGetMetadataKind(metadata) {
            LLVMMetadataKind::LLVMDIDerivedTypeMetadataKind
            | LLVMMetadataKind::LLVMDICompositeTypeMetadataKind
            | LLVMMetadataKind::LLVMDIBasicTypeMetadataKind => LLVMGetDINodeTag(metadata),
            _ => 0,
        }
    }
}

/// `struct event`, `unsigned int`, `a struct without a name`.
fn words(tag: u16, own: Option<String>) -> String {
    let what = match tag {
        STRUCTURE => "struct",
        UNION => "union",
        POINTER => return "a pointer".into(),
        _ => return own.unwrap_or_else(|| "an array".into()),
    };
    own.map_or_else(|| format!("a {what} without a name"), |name| format!("{what} {name}"))
}
