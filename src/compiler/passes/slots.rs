// SPDX-License-Identifier: Apache-2.0
//! Keeps stack slots where LLVM takes them for static.

use crate::compiler::ir::{Block, Opcode, Value};

/// Moves every stack slot of `function` to the front of `entry`, its first block: BPF has no other stack.
pub fn hoist_slots<'c>(function: Value<'c>, entry: Block<'c>) {
    let Some(first) = entry.first() else { return };
    for instruction in function.instructions() {
        // One whose size is computed stays where that is done: the backend refuses it with its place.
        let is_static = instruction.operand(0).is_some_and(Value::is_constant);
        if instruction.opcode() == Some(Opcode::LLVMAlloca) && is_static && instruction.block() != entry {
            instruction.move_before(first);
        }
    }
}
