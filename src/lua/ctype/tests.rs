// SPDX-License-Identifier: Apache-2.0
//! The declarations against LuaJIT: every size, every offset, every bit-field.

use mlua::{Function, IntoLua as _, Lua, MultiValue, Table, Value};

use super::{CType, Field, Shape, describe};
use crate::kernel::btf::{Btf, Kind, Type, fixtures};

fn structs(btf: &Btf) -> Vec<CType> {
    let composites = btf.type_ids().filter(|id| matches!(btf.kind_of(*id), Kind::Struct | Kind::Union));
    composites.filter_map(|id| describe(btf, id)).collect()
}

fn find(btf: &Btf, kind: Kind, name: &str) -> CType {
    describe(btf, btf.find(kind, name).unwrap()).unwrap()
}

/// Members that a script reaches by their name alone: those of anonymous members included.
fn reachable(fields: &[Field], base: u32, out: &mut Vec<(String, u32, u32)>) {
    for field in fields.iter().filter(|field| field.is_declared()) {
        match &field.ctype.shape {
            Shape::Struct { fields, .. } if field.name.is_empty() => reachable(fields, base + field.bit_offset, out),
            _ => out.push((field.name.clone(), base + field.bit_offset, field.bit_size)),
        }
    }
}

fn vm() -> (Lua, Table) {
    // SAFETY: a test's own VM.
    let lua = unsafe { Lua::unsafe_new() };
    let ffi = lua.globals().get::<Function>("require").unwrap().call("ffi").unwrap();
    (lua, ffi)
}

/// The types that the `$`s of a declaration stand for.
fn parts(ctype: &CType) -> Vec<&CType> {
    match &ctype.shape {
        Shape::Array { element, .. } => part(element),
        Shape::Struct { fields, .. } => fields
            .iter()
            .filter(|field| field.is_declared())
            .flat_map(|field| if field.name.is_empty() { parts(&field.ctype) } else { part(&field.ctype) })
            .collect(),
        _ => Vec::new(),
    }
}

fn part(ctype: &CType) -> Vec<&CType> {
    match &ctype.shape {
        Shape::Struct { .. } | Shape::Int128 { .. } => vec![ctype],
        _ => parts(ctype),
    }
}

fn typed(ffi: &Table, lua: &Lua, ctype: &CType) -> Value {
    let decl = ctype.declaration();
    let parts = parts(ctype).into_iter().map(|part| typed(ffi, lua, part));
    let arguments: MultiValue = std::iter::once(decl.as_str().into_lua(lua).unwrap()).chain(parts).collect();
    ffi.get::<Function>("typeof").unwrap().call(arguments).unwrap_or_else(|e| panic!("{decl}: {e}"))
}

fn check(ffi: &Table, lua: &Lua, ctype: &CType) {
    let decl = ctype.declaration();
    let typed = typed(ffi, lua, ctype);
    let size: u64 = ffi.get::<Function>("sizeof").unwrap().call(&typed).unwrap();
    assert_eq!(size, ctype.size_bytes, "{}: {decl}", ctype.name);
    let Shape::Struct { fields, .. } = &ctype.shape else { return };
    let mut members = Vec::new();
    reachable(fields, 0, &mut members);
    let offset_of: Function = ffi.get("offsetof").unwrap();
    for (name, bit_offset, bit_size) in members {
        let (offset, bit, bits): (u32, Option<u32>, Option<u32>) = offset_of.call((&typed, name.as_str())).unwrap();
        assert_eq!(offset * 8 + bit.unwrap_or(0), bit_offset, "{}.{name}: {decl}", ctype.name);
        // A bit-field that fills its unit is an ordinary member to LuaJIT.
        assert!(
            bits == Some(bit_size) || bits.is_none() && bit_size.is_multiple_of(8),
            "{}.{name}: {decl}",
            ctype.name
        );
    }
}

#[test]
fn every_layout_case_is_laid_out_as_btf_says() {
    let (lua, ffi) = vm();
    let all = structs(&fixtures::layouts());
    assert!(all.len() > 20);
    all.iter().for_each(|ctype| check(&ffi, &lua, ctype));
}

#[test]
fn the_kernels_own_structs_are_laid_out_as_btf_says() {
    let Some(btf) = fixtures::kernel_or_skip() else { return };
    for name in ["task_struct", "rq", "sk_buff", "sock", "file", "inode", "tcp_sock", "iphdr", "tcphdr", "net_device"] {
        // A VM each: LuaJIT has room for 65536 types, and a test needs no cache of them.
        let (lua, ffi) = vm();
        if let Some(id) = btf.find(Kind::Struct, name) {
            check(&ffi, &lua, &describe(&btf, id).unwrap());
        }
    }
}

#[test]
fn declarations_read_like_c() {
    let btf = fixtures::layouts();
    let decl = |name| find(&btf, Kind::Struct, name).declaration();
    assert_eq!(
        decl("plain"),
        "struct __attribute__((packed)) { char a; uint8_t __bpflua_pad0[1]; int16_t b; int32_t c; int64_t d; }"
    );
    assert_eq!(
        decl("arrays"),
        "struct __attribute__((packed)) { int32_t grid[2][3]; uint64_t names[4]; uint64_t row; char flexible[0]; }"
    );
    assert_eq!(decl("numbers").matches("$ big;").count(), 1, "{}", decl("numbers"));
    assert!(decl("enums").contains("uint32_t color; int32_t sign; uint64_t wide; uint8_t tiny;"), "{}", decl("enums"));
}

#[test]
fn a_bit_field_across_units_is_kept_with_its_place() {
    let btf = fixtures::layouts();
    let bits = find(&btf, Kind::Struct, "bits");
    let Shape::Struct { fields, .. } = &bits.shape else { panic!("{bits:?}") };
    let wide = fields.iter().find(|field| field.name == "c").unwrap();
    assert_eq!((wide.bit_size, wide.is_declared()), (40, false));
    assert!(!bits.declaration().contains(" c:"), "{}", bits.declaration());
}

/// Every bit-field that is declared can be read; LuaJIT finds out only then that it cannot.
#[test]
fn declared_bit_fields_can_be_read_wherever_they_begin() {
    let (lua, ffi) = vm();
    let read = lua.load("local new, ctype = ... return new(ctype).field").into_function().unwrap();
    let of_byte = CType::of_size(1);
    for (bit_offset, bit_size) in (0..40).flat_map(|offset| (1..=32).map(move |bits| (offset, bits))) {
        let ctype = CType { name: "u32".to_owned(), tag: "u32".to_owned(), ..CType::of_size(4) };
        let field = Field { name: "field".to_owned(), bit_offset, bit_size, ctype };
        let declared = field.is_declared();
        let shape = Shape::Struct { is_union: false, fields: vec![field] };
        let one = CType { size_bytes: 12, shape, ..of_byte.clone() };
        let ctype = typed(&ffi, &lua, &one);
        if declared {
            let new: Function = ffi.get("new").unwrap();
            read.call::<f64>((new, ctype)).unwrap_or_else(|e| panic!("{bit_offset}, {bit_size} bits: {e}"));
        }
    }
}

#[test]
fn types_have_the_names_of_the_c_text() {
    let btf = fixtures::layouts();
    let arrays = find(&btf, Kind::Struct, "arrays");
    let Shape::Struct { fields, .. } = &arrays.shape else { panic!("{arrays:?}") };
    let names: Vec<&str> = fields.iter().map(|field| field.ctype.name.as_str()).collect();
    assert_eq!(names, ["int [2][3]", "char * [4]", "int [8] *", "char [0]"]);
    assert_eq!(find(&btf, Kind::Typedef, "u64").name, "u64");
    assert!(describe(&btf, crate::kernel::btf::TypeId::VOID).is_none());
    assert!(matches!(btf.type_by_id(btf.find(Kind::Fwd, "hidden").unwrap()), Type::Fwd { .. }));
}

#[test]
fn a_type_is_told_from_others_by_its_tag() {
    let btf = fixtures::layouts();
    let counter = find(&btf, Kind::Typedef, "atomic_t");
    assert_eq!((counter.name.as_str(), counter.tag.as_str()), ("atomic_t", "atomic_t"));
    assert_eq!(find(&btf, Kind::Typedef, "u64").tag, "unsigned long long");
    let plain = find(&btf, Kind::Struct, "plain");
    let by_typedef = CType { name: "plain_t".to_owned(), ..plain.clone() };
    assert_eq!(plain.identity(), by_typedef.identity());
    let namesake = CType { tag: "struct other".to_owned(), ..plain.clone() };
    assert_ne!(plain.identity(), namesake.identity());
}
