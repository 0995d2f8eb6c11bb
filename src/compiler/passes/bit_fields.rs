// SPDX-License-Identifier: Apache-2.0
//! Reads bit fields of relocated structs where the loader says that they are.
//!
//! clang takes several bit fields for one number and loads that; the loader (`bpf_core_calc_field_relo` of libbpf) means
//! the unit of the field's own declared type. Where the two begin at different bytes, as for every field behind the first
//! byte of a row of `u8` fields, the bits would be looked for in the wrong byte.

use super::packet_fields;
use crate::compiler::ir::{Builder, Context, Module, Opcode, Value};
use crate::kernel::btf::bit_field_unit;

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
}

/// Rewrites the accesses of all functions, before LLVM has seen any of them.
pub fn settle(module: &Module<'_>, context: &Context) {
    for function in module.functions() {
        // Ask first, change afterwards: what is replaced is among the instructions.
        let fields: Vec<(Value<'_>, Field)> = function
            .instructions()
            .into_iter()
            .filter_map(|call| Some((call, field(module, context, call)?)))
            .collect();
        for (call, field) in fields {
            call.users().into_iter().for_each(|user| rewrite(module, context, call, user, field));
        }
    }
}

/// The field that a call names, when clang and the loader differ on where it is.
fn field<'c>(module: &Module<'c>, context: &'c Context, call: Value<'c>) -> Option<Field> {
    if !packet_fields::callee_name(call)?.starts_with(packet_fields::STRUCT_ACCESS) {
        return None;
    }
    let record = call.accessed_record(context).filter(|record| !record.has_tag(packet_fields::TAG))?;
    let args = call.call_args();
    let constant = |index: usize| args.get(index).and_then(|v| v.as_constant());
    let (_, bits, _) = record.member(constant(2)? as usize)?;
    let (unit, unit_bytes) = bit_field_unit(bits.offset, bits.size, bits.declared_bytes?)?;
    let begin = module.element_offset(call.argument_element(0)?, constant(1)? as u32)?;
    (begin != unit).then(|| Field {
        skip: bits.offset - unit * 8,
        bits: bits.size,
        unit_bits: unit_bytes * 8,
        position: bits.offset - begin * 8,
    })
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
