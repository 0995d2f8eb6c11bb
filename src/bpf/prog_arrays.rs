// SPDX-License-Identifier: Apache-2.0
//! Tables of programs that the C text fills itself: `.values = { [0] = (void *)&next }` of a program array.

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SymbolKind};

use crate::error::{Error, Result};
use crate::kernel::btf::{Btf, Kind, Type};

const MAPS: &str = ".maps";
/// The member of a map's definition that holds its first elements.
const VALUES: &str = "values";
/// Bytes of one of them.
const POINTER: u64 = 8;

/// A slot that is filled with a program when the first program of the object is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The program array.
    pub map: String,
    /// Its place in the array.
    pub index: u32,
    /// The function that is called from there.
    pub function: String,
}

/// The filled slots, in the order of the ELF's relocations: each is one that leads to a function.
pub fn slots(elf: &[u8], btf: &Btf) -> Result<Vec<Slot>> {
    let file = object::File::parse(elf).map_err(|err| Error::bug("cannot read the object", err.to_string()))?;
    let Some(section) = file.section_by_name(MAPS) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (place, relocation) in section.relocations() {
        let RelocationTarget::Symbol(target) = relocation.target() else { continue };
        let Ok(function) = file.symbol_by_index(target) else { continue };
        if function.kind() != SymbolKind::Text {
            continue;
        }
        let mut maps = file.symbols().filter(|symbol| symbol.section_index() == Some(section.index()));
        let map = maps.find(|map| (map.address()..map.address() + map.size()).contains(&place));
        let Some((map, name)) = map.and_then(|map| Some((map.address(), map.name().ok()?.to_owned()))) else {
            continue;
        };
        let Some(index) = values_offset(btf, &name).and_then(|start| (place - map).checked_sub(start)) else {
            continue;
        };
        let function = function.name().unwrap_or_default().to_owned();
        found.push(Slot { map: name, index: (index / POINTER) as u32, function });
    }
    Ok(found)
}

/// Where the first elements begin in a map's definition, in bytes.
fn values_offset(btf: &Btf, map: &str) -> Option<u64> {
    let Type::Datasec(maps) = btf.type_by_id(btf.find(Kind::Datasec, MAPS)?) else { return None };
    let definition = maps.vars().find_map(|var| match btf.type_by_id(var.type_id) {
        Type::Var(var) if var.name == map => Some(btf.resolve(var.type_id)),
        _ => None,
    })?;
    let Type::Struct(definition) = btf.type_by_id(definition) else { return None };
    let values = definition.members().find(|member| member.name == VALUES)?;
    Some(u64::from(values.bit_offset / 8))
}
