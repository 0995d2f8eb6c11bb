// SPDX-License-Identifier: Apache-2.0
//! Reads the arguments of system calls where they are first used: behind the text's filters, and without a place on the
//! stack until then. Each is a helper call, for they lie in the registers that the wrapper was called with, and nothing
//! changes them while a probe runs.

use crate::compiler::ir::{Block, Opcode, Value};

/// The note on a read of an argument.
pub const ARGUMENT: &str = "bpflua.argument";

/// Moves the reads of arguments in `function` to where they are used.
pub fn sink_arguments(function: Value<'_>) {
    for load in function.instructions() {
        if load.opcode() == Some(Opcode::LLVMLoad) && load.is_marked(ARGUMENT) {
            sink(load);
        }
    }
}

/// Moves a value, with what is made of it alone and what it is made of alone, before the first instruction that uses it.
fn sink(value: Value<'_>) {
    for user in value.users() {
        if is_conversion(user) {
            sink(user);
        }
    }
    let Some(first) = first_user(value) else { return };
    value.move_before(first);
    if value.opcode() == Some(Opcode::LLVMLoad)
        && let Some(address) = value.operand(0)
        && address.opcode() == Some(Opcode::LLVMGetElementPtr)
        && address.constant_gep_offset().is_some()
        && address.users().len() == 1
    {
        address.move_before(value);
    }
}

/// A number made of another one and constants.
fn is_conversion(value: Value<'_>) -> bool {
    use Opcode::*;
    let of_one = matches!(
        value.opcode(),
        Some(LLVMTrunc | LLVMZExt | LLVMSExt | LLVMIntToPtr | LLVMAnd | LLVMShl | LLVMLShr | LLVMAShr)
    );
    of_one && value.operands().iter().skip(1).all(|operand| operand.is_constant())
}

/// The first instruction that uses a value, when all that do are in one block, and it is not run more often than the
/// value's own.
fn first_user<'c>(value: Value<'c>) -> Option<Value<'c>> {
    let users = value.users();
    let block = users.first()?.block();
    if users.iter().any(|user| user.block() != block || user.opcode() == Some(Opcode::LLVMPHI)) {
        return None;
    }
    if block != value.block() && repeats(block) {
        return None;
    }
    block.instructions().into_iter().find(|instruction| users.contains(instruction))
}

/// Whether a block can be reached from itself.
fn repeats(block: Block<'_>) -> bool {
    let mut reached = block.successors();
    let mut next = 0;
    while let Some(one) = reached.get(next).copied() {
        next += 1;
        for successor in one.successors() {
            if !reached.contains(&successor) {
                reached.push(successor);
            }
        }
    }
    reached.contains(&block)
}
