// SPDX-License-Identifier: Apache-2.0
//! Packet headers in memory: which pointers are no offsets into the packet, and how members of a plain structure are read
//! and written byte by byte, since headers are packed.

use std::collections::HashSet;

use super::helpers::{self, Returned};
use crate::compiler::ir::{Builder, Opcode, Value};

/// Where a pointer to a header may come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// A variable, a map's value, a record.
    pub memory: bool,
    /// A number: an offset into the packet.
    pub packet: bool,
}

impl Origin {
    const MEMORY: Origin = Origin { memory: true, packet: false };
    const PACKET: Origin = Origin { memory: false, packet: true };

    /// Follows a pointer, or the number that was made of one, back to where it comes from.
    pub fn of(value: Value<'_>) -> Origin {
        let found = origin(value, &mut HashSet::new());
        if found == Origin::default() { Origin::PACKET } else { found }
    }
}

fn both(values: impl Iterator<Item = Origin>) -> Origin {
    values.fold(Origin::default(), |a, b| Origin { memory: a.memory || b.memory, packet: a.packet || b.packet })
}

fn origin<'c>(value: Value<'c>, seen: &mut HashSet<Value<'c>>) -> Origin {
    if value.is_global() {
        return Origin::MEMORY;
    }
    // A round through a loop adds nothing.
    if !value.is_constant() && !seen.insert(value) {
        return Origin::default();
    }
    let operands = value.operands();
    match value.opcode() {
        Some(Opcode::LLVMAlloca) => Origin::MEMORY,
        Some(Opcode::LLVMPtrToInt | Opcode::LLVMIntToPtr | Opcode::LLVMGetElementPtr | Opcode::LLVMSub) => {
            operands.first().map_or(Origin::PACKET, |&first| origin(first, seen))
        }
        // Memory that is moved by a number stays memory; LLVM adds to what is aligned by `or`.
        Some(Opcode::LLVMAdd | Opcode::LLVMOr | Opcode::LLVMXor | Opcode::LLVMAnd) => {
            match both(operands.into_iter().map(|operand| origin(operand, seen))) {
                Origin { memory: true, .. } => Origin::MEMORY,
                other => other,
            }
        }
        Some(Opcode::LLVMPHI) => both(operands.into_iter().map(|operand| origin(operand, seen))),
        Some(Opcode::LLVMSelect) => both(operands.into_iter().skip(1).map(|operand| origin(operand, seen))),
        Some(Opcode::LLVMCall) => match value.callee().and_then(helpers::number_of).map(helpers::returned) {
            Some(Returned::Memory) => Origin::MEMORY,
            _ => Origin::PACKET,
        },
        None if value.is_parameter() => of_parameter(value, seen),
        _ => Origin::PACKET,
    }
}

/// Of a function that is not inlined: what its callers hand over.
fn of_parameter<'c>(param: Value<'c>, seen: &mut HashSet<Value<'c>>) -> Origin {
    let Some(function) = param.parameter_of() else { return Origin::PACKET };
    let index = function.params().iter().position(|&own| own == param);
    let calls = function.users().into_iter().filter(|user| user.callee() == Some(function));
    let args = calls.filter_map(|call| call.call_args().get(index?).copied());
    both(args.collect::<Vec<_>>().into_iter().map(|arg| origin(arg, seen)))
}

/// Whether an address is an offset into the packet beyond doubt: made of constants and of the packet's own fields.
pub fn is_offset(address: Value<'_>) -> bool {
    made_of_numbers(address, &mut HashSet::new())
}

fn made_of_numbers<'c>(value: Value<'c>, seen: &mut HashSet<Value<'c>>) -> bool {
    if value.is_global() || value.is_function() {
        return false;
    }
    if !value.is_constant() && !seen.insert(value) {
        return true;
    }
    let operands = value.operands();
    match value.opcode() {
        Some(
            Opcode::LLVMPtrToInt
            | Opcode::LLVMIntToPtr
            | Opcode::LLVMGetElementPtr
            | Opcode::LLVMAdd
            | Opcode::LLVMOr
            | Opcode::LLVMXor
            | Opcode::LLVMAnd
            | Opcode::LLVMShl
            | Opcode::LLVMLShr
            | Opcode::LLVMMul
            | Opcode::LLVMZExt
            | Opcode::LLVMTrunc
            | Opcode::LLVMPHI,
        ) => operands.into_iter().all(|operand| made_of_numbers(operand, seen)),
        Some(Opcode::LLVMSelect) => operands.into_iter().skip(1).all(|operand| made_of_numbers(operand, seen)),
        Some(Opcode::LLVMCall) => value
            .callee()
            .filter(|callee| callee.is_function())
            .is_some_and(|callee| callee.name() == super::packet::LOAD || callee.name().starts_with("llvm.bpf.load.")),
        Some(_) => false,
        None => value.is_constant(),
    }
}

/// The pointer that a number is the address of, where it was made of one: LLVM follows pointers, and numbers not always.
pub fn pointer<'c>(builder: &Builder<'c>, address: Value<'c>) -> Value<'c> {
    let moved = |of: Value<'c>, by: i64| builder.offset(pointer(builder, of), by);
    match (address.opcode(), address.operands().as_slice()) {
        (Some(Opcode::LLVMPtrToInt), [made_of]) => *made_of,
        (Some(Opcode::LLVMAdd | Opcode::LLVMOr), [base, by]) => match by.as_constant() {
            Some(bytes) => moved(*base, bytes as i64),
            None => builder.cast_pointer(address),
        },
        _ => builder.cast_pointer(address),
    }
}

/// `bits` bits that begin `skip` bits behind the lowest of the byte at `place`, a pointer.
pub fn load<'c>(builder: &Builder<'c>, place: Value<'c>, skip: u64, bits: u64) -> Value<'c> {
    let word = builder.word();
    let mut value = word.constant(0);
    for (index, from, count) in bytes(skip, bits) {
        let byte = builder.resize(builder.load(builder.byte(), builder.offset(place, index as i64)), word);
        let low = if index == 0 { skip } else { 0 };
        let part = builder.and(builder.shift_right(byte, low), word.constant((1 << count) - 1));
        value = builder.or(value, builder.shift_left(part, from));
    }
    value
}

/// Writes bits where [`load`] reads them.
pub fn store<'c>(builder: &Builder<'c>, place: Value<'c>, skip: u64, bits: u64, value: Value<'c>) {
    let word = builder.word();
    for (index, from, count) in bytes(skip, bits) {
        let place = builder.offset(place, index as i64);
        let low = if index == 0 { skip } else { 0 };
        let mask = ((1_u64 << count) - 1) << low;
        let mut byte = builder.and(builder.shift_left(builder.shift_right(value, from), low), word.constant(mask));
        if mask != 0xff {
            let old = builder.resize(builder.load(builder.byte(), place), word);
            byte = builder.or(byte, builder.and(old, word.constant(0xff & !mask)));
        }
        builder.store_natural(builder.resize(byte, builder.byte()), place);
    }
}

/// The bytes that bits lie in: which, the first of the bits in it, and how many.
fn bytes(skip: u64, bits: u64) -> impl Iterator<Item = (u64, u64, u64)> {
    (0..(skip + bits).div_ceil(8)).map(move |index| {
        let from = (8 * index).saturating_sub(skip);
        let end = (8 * (index + 1) - skip).min(bits);
        (index, from, end - from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_in_bytes() {
        assert_eq!(bytes(0, 16).collect::<Vec<_>>(), [(0, 0, 8), (1, 8, 8)]);
        assert_eq!(bytes(5, 13).collect::<Vec<_>>(), [(0, 0, 3), (1, 3, 8), (2, 11, 2)]);
        assert_eq!(bytes(7, 64).count(), 9);
    }
}
