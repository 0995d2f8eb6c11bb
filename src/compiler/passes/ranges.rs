// SPDX-License-Identifier: Apache-2.0
//! Keeps what the verifier knows of a number's range.
//!
//! After a division of 32 bits the verifier takes the upper half of the register for unknown, though the processor clears
//! it; LLVM relies on the processor and does not clear it again. An index `n / 200`, limited by an `if` on its lower half,
//! is then refused. A move of 32 bits behind the division tells the verifier.

use std::collections::HashSet;

use crate::compiler::ir::{Builder, Context, Opcode, Value};

/// Goes through a function's divisions; after all passes of LLVM's own that could move what is added.
pub fn keep(function: Value<'_>, context: &Context) {
    for block in function.blocks() {
        let instructions = block.instructions();
        for pair in instructions.windows(2) {
            let (division, next) = (pair[0], pair[1]);
            if is_division(division) && is_widened(division, &mut HashSet::new()) {
                Builder::before(context, next).move_32(division);
            }
        }
    }
}

fn is_division(instruction: Value<'_>) -> bool {
    let divides = matches!(instruction.opcode(), Some(Opcode::LLVMUDiv | Opcode::LLVMURem));
    divides && instruction.ty().int_bits() == Some(32)
}

/// Whether 64 bits are made of it, perhaps after a choice between several values.
fn is_widened<'c>(value: Value<'c>, seen: &mut HashSet<Value<'c>>) -> bool {
    value.users().into_iter().any(|user| match user.opcode() {
        Some(Opcode::LLVMZExt) => true,
        Some(Opcode::LLVMPHI | Opcode::LLVMSelect | Opcode::LLVMCall) => seen.insert(user) && is_widened(user, seen),
        _ => false,
    })
}
