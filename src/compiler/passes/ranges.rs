// SPDX-License-Identifier: Apache-2.0
//! Keeps what the verifier knows of a number's range.
//!
//! After a division of 32 bits the verifier takes the upper half of the register for unknown, though the processor clears
//! it; LLVM relies on the processor and does not clear it again. An index `n / 200`, limited by an `if` on its lower half,
//! is then refused. A move of 32 bits behind the division tells the verifier.
//!
//! Where an `if` limits the lower half of a value of 64 bits and that half becomes an index, LLVM cuts the whole value with
//! a mask just wide enough for the limit. Older verifiers (6.1 is one) know the lower half's limit no more behind the mask, and only
//! the mask's. With the same move before it the mask changes nothing that is known.

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
        for mask in block.instructions().into_iter().filter(|&one| is_tight_mask(one)) {
            if let Some(whole) = mask.operand(0).filter(|&whole| is_limited_by_half(whole)) {
                mask.set_operand(0, Builder::before(context, mask).lower_half(whole));
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

/// `and i64 %whole, 127` and the like: all lower bits up to one of the lower half.
fn is_tight_mask(instruction: Value<'_>) -> bool {
    let mask = instruction.operand(1).and_then(Value::as_constant);
    instruction.opcode() == Some(Opcode::LLVMAnd)
        && instruction.ty().int_bits() == Some(64)
        && mask.is_some_and(|mask| mask & mask.wrapping_add(1) == 0 && mask < u64::from(u32::MAX))
}

/// Whether some comparison looks at the lower half of it.
fn is_limited_by_half(whole: Value<'_>) -> bool {
    let halves = whole
        .users()
        .into_iter()
        .filter(|user| user.opcode() == Some(Opcode::LLVMTrunc) && user.ty().int_bits() == Some(32));
    halves.flat_map(Value::users).any(|user| user.opcode() == Some(Opcode::LLVMICmp))
}
