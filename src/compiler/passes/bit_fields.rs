// SPDX-License-Identifier: Apache-2.0
//! Reads bit fields of relocated structs where the loader says that they are.
//!
//! clang takes several bit fields for one number and loads that; the loader (`bpf_core_calc_field_relo` of libbpf) means
//! the unit of the field's own declared type. Where the two begin at different bytes, as for every field behind the first
//! byte of a row of `u8` fields, the bits would be looked for in the wrong byte.
//!
//! An object for the kernel at hand has the place in that unit and the width as numbers. One that is made to travel has the
//! loader fill in both ([`relocate`]).

use super::packet_fields;
use crate::compiler::ir::{Builder, Context, Module, Opcode, Value};
use crate::kernel::btf::bit_field_unit;

/// What the loader is asked of a field, by clang's `__builtin_preserve_field_info`.
const FIELD_INFO: &str = "llvm.bpf.preserve.field.info.p0";
/// The kinds of questions: the bytes of its unit, whether it has a sign, and how far it is moved up and down in 64 bits.
const QUESTIONS: [u64; 4] = [1, 4, 5, 3];
/// What reads and writes a field by those answers (`bpf-include/bpflua/bits.h`).
const READ: &str = "__bpflua_read_bits";
const WRITE: &str = "__bpflua_write_bits";

/// A bit field behind an access.
#[derive(Clone, Copy)]
struct Field {
    /// Where it begins in the loader's unit.
    skip: u64,
    /// Its width.
    bits: u64,
    /// Bits of the loader's unit.
    unit_bits: u64,
    /// Where it begins in what clang loads and stores.
    position: u64,
    /// Whether the loader's unit begins where clang's does.
    agrees: bool,
    /// Bits of the type that it is declared with.
    declared_bits: u64,
    /// Whether LLVM asks the loader about it: it gives up on what crosses the bounds of its record's alignment.
    relocatable: bool,
}

/// Rewrites the accesses of all functions, before LLVM has seen any of them.
pub fn settle(module: &Module<'_>, context: &Context) {
    for (call, field) in fields(module, context).into_iter().filter(|(_, field)| !field.agrees) {
        call.users().into_iter().for_each(|user| rewrite(module, context, call, user, field));
    }
}

/// The same for an object that is made to travel: what a field's place and width are, the loader says.
pub fn relocate(module: &Module<'_>, context: &Context) {
    let (Some(read), Some(write)) = (module.function(READ), module.function(WRITE)) else { return };
    for (call, field) in fields(module, context) {
        for user in call.users() {
            let done = field.relocatable && relocated(module, context, (read, write), call, user, field).is_some();
            if !done && !field.agrees {
                rewrite(module, context, call, user, field);
            }
        }
    }
    [read, write].into_iter().for_each(Value::make_internal);
}

/// The accesses of bit fields. What is replaced is among the instructions: all are asked for before any is changed.
fn fields<'c>(module: &Module<'c>, context: &'c Context) -> Vec<(Value<'c>, Field)> {
    let instructions = module.functions().into_iter().flat_map(Value::instructions);
    instructions.filter_map(|call| Some((call, field(module, context, call)?))).collect()
}

/// The bit field that a call names.
fn field<'c>(module: &Module<'c>, context: &'c Context, call: Value<'c>) -> Option<Field> {
    if !packet_fields::callee_name(call)?.starts_with(packet_fields::STRUCT_ACCESS) {
        return None;
    }
    let record = call.accessed_record(context).filter(|record| !record.has_tag(packet_fields::TAG))?;
    let args = call.call_args();
    let constant = |index: usize| args.get(index).and_then(|v| v.as_constant());
    let (_, bits, _) = record.member(constant(2)? as usize)?;
    let (unit, unit_bytes) = bit_field_unit(bits.offset, bits.size, bits.declared_bytes?)?;
    let element = call.argument_element(0)?;
    let begin = module.element_offset(element, constant(1)? as u32)?;
    Some(Field {
        skip: bits.offset - unit * 8,
        bits: bits.size,
        unit_bits: unit_bytes * 8,
        position: bits.offset - begin * 8,
        agrees: begin == unit,
        declared_bits: bits.declared_bytes? * 8,
        relocatable: is_asked_about(bits.offset, bits.size, module.alignment(element)),
    })
}

/// Whether LLVM can ask about a field of a record with this alignment (`GetStorageBitRange` of its
/// `BPFAbstractMemberAccess.cpp`, which ends the process where it cannot).
fn is_asked_about(offset: u64, bits: u64, alignment: u64) -> bool {
    let unit = alignment.min(8) * 8;
    let in_one_word = alignment <= 8 || offset / 64 == (offset + bits) / 64;
    in_one_word && offset % unit + bits <= unit
}

/// Has the loader say where the field that `user` reads or writes is; `None` for what does neither.
fn relocated<'c>(
    module: &Module<'c>,
    context: &'c Context,
    (read, write): (Value<'c>, Value<'c>),
    place: Value<'c>,
    user: Value<'c>,
    field: Field,
) -> Option<()> {
    let bits = u64::from(user.operand(0)?.ty().int_bits().or(user.ty().int_bits())?);
    let builder = Builder::before(context, user);
    let word = builder.word();
    let answers = || {
        let asked = module.function(FIELD_INFO).unwrap_or_else(|| {
            let ty = module.function_type(builder.half(), &[module.pointer_type(), word]);
            module.add_function(FIELD_INFO, ty)
        });
        let answer = |kind| builder.call(asked, &[place, word.constant(kind)]);
        std::iter::once(place).chain(QUESTIONS.map(answer))
    };
    match user.opcode()? {
        Opcode::LLVMLoad => {
            let taken = taken_out(user, bits, field)?;
            let value = builder.call(read, &answers().collect::<Vec<_>>());
            taken.replace_uses_with(builder.resize(value, taken.ty()));
            // Backwards to the load: each is used by the next alone.
            let mut last = taken;
            while last != user {
                let before = last.operand(0)?;
                last.erase();
                last = before;
            }
            user.erase();
        }
        Opcode::LLVMStore if user.operand(1) == Some(place) => {
            let mask = if field.bits < 64 { (1_u64 << field.bits) - 1 } else { u64::MAX };
            let value = builder.resize(builder.shift_right(user.operand(0)?, field.position), word);
            let value = builder.and(value, word.constant(mask));
            let width = builder.half().constant(field.bits);
            builder.call(write, &answers().chain([width, value]).collect::<Vec<_>>());
            user.erase();
        }
        _ => return None,
    }
    Some(())
}

/// The field in what clang makes of a load of `width` bits that holds it: shifted, masked, made as wide as its type
/// (`EmitLoadOfBitfieldLValue` of clang's `CGExpr.cpp`). `None` when the rest of the load is used as well, as it is where a
/// field is written.
fn taken_out<'c>(load: Value<'c>, width: u64, field: Field) -> Option<Value<'c>> {
    let above = width.checked_sub(field.position + field.bits)?;
    let mask = if field.bits < 64 { (1_u64 << field.bits) - 1 } else { u64::MAX };
    let unsigned = [(Opcode::LLVMLShr, field.position, field.position > 0), (Opcode::LLVMAnd, mask, above > 0)];
    let down = field.position + above;
    let signed = [(Opcode::LLVMShl, above, above > 0), (Opcode::LLVMAShr, down, down > 0)];
    let value = [unsigned, signed].into_iter().find_map(|steps| {
        steps.into_iter().filter(|(.., needed)| *needed).try_fold(load, |at, (opcode, by, _)| {
            let user = only_user(at).filter(|user| user.opcode() == Some(opcode))?;
            (user.operand(0) == Some(at) && user.operand(1)?.as_constant() == Some(by)).then_some(user)
        })
    })?;
    let is_cast = |user: &Value<'c>| {
        let cast = matches!(user.opcode(), Some(Opcode::LLVMTrunc | Opcode::LLVMZExt | Opcode::LLVMSExt));
        let bits = user.ty().int_bits().map(u64::from);
        cast && (bits == Some(1) || bits == Some(field.declared_bits) && width != field.declared_bits)
    };
    Some(only_user(value).filter(is_cast).unwrap_or(value))
}

fn only_user(value: Value<'_>) -> Option<Value<'_>> {
    match value.users().as_slice() {
        [user] => Some(*user),
        _ => None,
    }
}

fn rewrite<'c>(module: &Module<'c>, context: &'c Context, place: Value<'c>, user: Value<'c>, field: Field) {
    let builder = Builder::before(context, user);
    let word = builder.word();
    let unit_type = module.int_type(field.unit_bits as u32);
    let whole = || builder.resize(builder.load(unit_type, place), word);
    let mask = if field.bits < 64 { (1_u64 << field.bits) - 1 } else { u64::MAX };
    match user.opcode() {
        Some(Opcode::LLVMLoad) if user.ty().int_bits().is_some() => {
            let value = builder.and(builder.shift_right(whole(), field.skip), word.constant(mask));
            let value = builder.shift_left(builder.resize(value, user.ty()), field.position);
            user.replace_uses_with(value);
            user.erase();
        }
        Some(Opcode::LLVMStore) if user.operand(1) == Some(place) => {
            let Some(value) = user.operand(0).filter(|value| value.ty().int_bits().is_some()) else { return };
            let value = builder.resize(builder.shift_right(value, field.position), word);
            let value = builder.shift_left(builder.and(value, word.constant(mask)), field.skip);
            let others = builder.and(whole(), word.constant(!(mask << field.skip)));
            builder.store_natural(builder.resize(builder.or(others, value), unit_type), place);
            user.erase();
        }
        _ => {}
    }
}
