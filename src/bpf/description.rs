// SPDX-License-Identifier: Apache-2.0
//! What an object says of its maps, read from the file alone: nothing goes to the kernel.

use super::image;
use super::libbpf_log;
use super::map::public_name;
use super::map_kind::MapKind;
use super::options::ObjectOptions;
use super::sys::object::{self as raw};
use crate::error::{Error, Result};
use crate::kernel::btf::{Btf, Kind, Type, TypeId};

/// Where the compiler notes which type of event each map submits.
const EVENTS_SECTION: &str = ".bpflua.events";
/// What the compiler puts before a map's name in the name of that variable: two globals cannot share one.
const EVENT_PREFIX: &str = "__bpflua_event_";

/// A map as its object declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapDescription {
    /// Its name in the C text.
    pub name: String,
    /// Its type.
    pub kind: MapKind,
    /// The key's type; void when it has none.
    pub key_type: TypeId,
    /// The value's type; void when it has none.
    pub value_type: TypeId,
    /// The type of the events it submits; void when it submits none.
    pub event_type: TypeId,
}

/// The maps of an object with its types; nothing when it was compiled without types. Those of global variables are left
/// out.
pub fn read_maps(elf: &[u8], name: &str) -> Result<Option<(Vec<MapDescription>, Btf)>> {
    let Some((_, btf)) = image::read_variables(elf, name)? else { return Ok(None) };
    let options = ObjectOptions { name: name.to_owned(), ..ObjectOptions::default() };
    let (object, _) = libbpf_log::capture(|| image::open(elf, &options));
    let object = object.map_err(|err| Error::bug(format!("cannot open the object of `{name}`"), err.to_string()))?;
    let declared = raw::maps(&object.object).into_iter().filter(|map| !map.internal);
    let maps = declared.map(|map| {
        let name = public_name(&map);
        MapDescription {
            kind: MapKind(map.kind),
            key_type: TypeId(map.key_type_id),
            value_type: TypeId(map.value_type_id),
            event_type: event_type(&btf, &name).unwrap_or(TypeId::VOID),
            name,
        }
    });
    Ok(Some((maps.collect(), btf)))
}

/// The type of the events that a map submits, from the C text's own calls.
pub fn event_type(btf: &Btf, map: &str) -> Option<TypeId> {
    let Type::Datasec(section) = btf.type_by_id(btf.find(Kind::Datasec, EVENTS_SECTION)?) else { return None };
    section.vars().find_map(|var| match btf.type_by_id(var.type_id) {
        Type::Var(var) if var.name.strip_prefix(EVENT_PREFIX) == Some(map) => pointee(btf, var.type_id),
        _ => None,
    })
}

/// The variable that stands for a map is a pointer to the type of its events.
fn pointee(btf: &Btf, id: TypeId) -> Option<TypeId> {
    match btf.type_by_id(btf.resolve(id)) {
        Type::Ptr(pointee) => Some(pointee),
        _ => None,
    }
}
