// SPDX-License-Identifier: Apache-2.0
//! What is noted on instructions: LLVM's own flags and the passes' notes, which LLVM carries through its optimisation or
//! drops with the instruction; and where a block leads.

use llvm_sys::core::*;

use super::value::{Block, Value};

impl<'c> Value<'c> {
    /// Puts a note on an instruction.
    pub fn mark(self, name: &str) {
        // SAFETY: a live instruction; an empty node of its context is attached to it.
        unsafe {
            let context = LLVMGetTypeContext(LLVMTypeOf(self.raw()));
            let node = LLVMMDNodeInContext2(context, std::ptr::null_mut(), 0);
            LLVMSetMetadata(self.raw(), kind(self, name), LLVMMetadataAsValue(context, node));
        }
    }

    /// For a division: whether it leaves no remainder, as between pointers.
    pub fn is_exact(self) -> bool {
        // SAFETY: a live division.
        unsafe { LLVMGetExact(self.raw()) != 0 }
    }

    /// Whether this note is on an instruction.
    pub fn is_marked(self, name: &str) -> bool {
        // SAFETY: a live instruction.
        unsafe { !LLVMGetMetadata(self.raw(), kind(self, name)).is_null() }
    }
}

impl<'c> Block<'c> {
    /// The blocks that may come after this one.
    pub fn successors(self) -> Vec<Block<'c>> {
        // SAFETY: the block is live, and its terminator's successors are live blocks.
        unsafe {
            let end = LLVMGetBasicBlockTerminator(self.raw());
            let count = if end.is_null() { 0 } else { LLVMGetNumSuccessors(end) };
            (0..count).map(|index| Block::from_raw(LLVMGetSuccessor(end, index))).collect()
        }
    }
}

fn kind(value: Value<'_>, name: &str) -> u32 {
    // SAFETY: a live value's context; LLVM copies the name, which is as long as said.
    unsafe {
        let context = LLVMGetTypeContext(LLVMTypeOf(value.raw()));
        LLVMGetMDKindIDInContext(context, name.as_ptr().cast(), name.len() as u32)
    }
}
