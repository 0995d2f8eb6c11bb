// SPDX-License-Identifier: Apache-2.0
//! Type data for the tests of this room and of the compiler's.

use super::{Btf, Type, TypeId};

/// The object compiled from `tests/fixtures/btf/layouts.c`.
pub(crate) const LAYOUTS: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/btf/layouts.o"));

pub(crate) fn layouts() -> Btf {
    Btf::from_elf(LAYOUTS).unwrap()
}

/// Its type data alone.
pub(crate) fn layouts_bytes() -> Vec<u8> {
    layouts().bytes().to_vec()
}

/// The running kernel's types, or the reason why the test is skipped, printed.
pub(crate) fn kernel_or_skip() -> Option<Btf> {
    Btf::kernel().inspect_err(|err| println!("skipped: {err}")).ok()
}

/// Asks every question about every type; returns a number that depends on all the answers.
pub(crate) fn ask_everything(btf: &Btf) -> u64 {
    let mut sum = 0_u64;
    let mut note = |n: u64| sum = sum.wrapping_mul(31).wrapping_add(n);
    for id in btf.type_ids().chain([TypeId(0), TypeId(u32::MAX)]) {
        note(btf.name_of(id).len() as u64);
        note(btf.size_of(id).unwrap_or(1));
        note(btf.align_of(id).into());
        note(btf.resolve(id).0.into());
        match btf.type_by_id(id) {
            Type::Struct(composite) | Type::Union(composite) => {
                for member in composite.members() {
                    note(u64::from(member.bit_offset) + u64::from(member.bit_size) + member.name.len() as u64);
                }
                note(btf.field(id, "no such field").is_some().into());
            }
            Type::Enum(e) => e.enumerators().for_each(|value| note(value.value as u64)),
            Type::FuncProto(proto) => {
                proto.params().for_each(|param| note(param.type_id.0.into()));
                note(u64::from(proto.returns_void()) + u64::from(proto.params_are_scalars_or_pointers()));
            }
            Type::Func(func) => note(func.proto().map_or(0, |proto| proto.param_count() as u64)),
            Type::Datasec(section) => section.vars().for_each(|var| note(var.offset.into())),
            _ => {}
        }
    }
    note(btf.enumerator("BLUE").map_or(0, |(id, value)| u64::from(id.0) + value as u64));
    note(btf.func_by_name("takes").map_or(0, |func| func.id.0.into()));
    note(btf.struct_has_field("node", "next").into());
    sum
}
