// SPDX-License-Identifier: Apache-2.0
//! BPF objects in the kernel: their functions and maps.

use mlua::{AnyUserData, FromLua, IntoLua, LightUserData, Lua, Table, UserData, Value};
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;

use crate::bpf::{Map, Object};
use crate::error::{Error, Result};
use crate::kernel::btf::{Btf, TypeId};
use crate::lua::ctype::{CType, describe};
use crate::lua::errors::{Natives, from_mlua};

/// An object held by Lua; empty once it was closed.
#[derive(Debug)]
pub struct ObjectValue(Option<Object>);

impl UserData for ObjectValue {}

impl From<Object> for ObjectValue {
    fn from(object: Object) -> ObjectValue {
        ObjectValue(Some(object))
    }
}

/// `native.object`: `functions`, `auto_functions`, `auto_struct_ops`, `maps`, `variables`, `memory`, `close`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("functions", "functions", |_, object: AnyUserData| {
        with(&object, |object| Ok(object.functions().iter().map(|f| f.name.clone()).collect::<Vec<_>>()))
    })?;
    natives.add("auto_functions", "auto_functions", |_, object: AnyUserData| {
        with(&object, |object| Ok(object.auto_functions()))
    })?;
    natives.add("auto_struct_ops", "auto_struct_ops", |_, object: AnyUserData| {
        with(&object, |object| Ok(object.auto_struct_ops()))
    })?;
    natives.add("maps", "maps", |lua, object: AnyUserData| with(&object, |object| maps(lua, object)))?;
    natives.add("variables", "variables", |lua, object: AnyUserData| with(&object, |object| variables(lua, object)))?;
    natives.add("memory", "variables", |_, (object, map): (AnyUserData, String)| {
        with(&object, |object| Ok(LightUserData(object.memory(&map)?.as_ptr().cast())))
    })?;
    natives.add("close", "close", |lua, object: AnyUserData| {
        let Some(mut closed) = borrow(&object)?.0.take() else { return Ok(()) };
        closed.detach_all();
        super::attach::tell_missed(lua, &closed.take_missed())
    })?;
    Ok(natives.into_table())
}

fn borrow(object: &AnyUserData) -> Result<mlua::UserDataRefMut<ObjectValue>> {
    object.borrow_mut::<ObjectValue>().map_err(|error| from_mlua("cannot use the BPF object", &error))
}

/// Runs `body` with the object that Lua holds; an error when it was closed.
pub fn with<R>(object: &AnyUserData, body: impl FnOnce(&mut Object) -> Result<R>) -> Result<R> {
    match &mut borrow(object)?.0 {
        Some(object) => body(object),
        None => Err(Error::script("cannot use the BPF object", "it was closed")),
    }
}

/// Reads a field of a table of arguments.
pub fn field<T: FromLua>(table: &Table, name: &str) -> Result<T> {
    table.get(name).map_err(|error| from_mlua(name, &error))
}

/// The maps as Lua tables, their types described.
fn maps(lua: &Lua, object: &Object) -> Result<Table> {
    let histograms = object.histograms();
    let tables = object.maps().iter().filter(|map| !map.is_internal()).map(|map| {
        let table = map_table(lua, object, map)?;
        let set = table.set("histogram", histograms.contains(&map.name));
        set.map_err(|error| from_mlua("maps", &error)).map(|()| table)
    });
    let tables = tables.collect::<Result<Vec<Table>>>()?;
    lua.create_sequence_from(tables).map_err(|error| from_mlua("maps", &error))
}

/// The global variables by name: `{type, map, offset, size, constant}`.
fn variables(lua: &Lua, object: &Object) -> Result<Table> {
    let fill = || -> mlua::Result<Table> {
        let table = lua.create_table()?;
        for variable in object.variables() {
            let facts = lua.create_table()?;
            facts.set("type", type_table(lua, object.btf().map(|btf| &**btf), variable.type_id)?)?;
            facts.set("map", variable.map.as_str())?;
            facts.set("offset", variable.offset)?;
            facts.set("size", variable.size)?;
            facts.set("constant", variable.is_constant())?;
            table.set(variable.name.as_str(), facts)?;
        }
        Ok(table)
    };
    fill().map_err(|error| from_mlua("variables", &error))
}

fn map_table(lua: &Lua, object: &Object, map: &Rc<Map>) -> Result<Table> {
    let lookup_size = map.lookup_size()?;
    let btf = object.btf().map(|btf| &**btf);
    let event_type = object.event_type(&map.name).unwrap_or(TypeId::VOID);
    let fill = || -> mlua::Result<Table> {
        let table = lua.create_table()?;
        table.set("name", map.name.as_str())?;
        table.set("fd", map.as_fd().as_raw_fd())?;
        table.set("kind", map.kind.name())?;
        table.set("max_entries", map.max_entries)?;
        table.set("is_array", map.kind.is_array())?;
        table.set("per_cpu", map.is_per_cpu())?;
        table.set("lookup_size", lookup_size)?;
        table.set("counts_losses", object.loss_counter(&map.name).is_some())?;
        table.set("key_type", element_table(lua, btf, TypeId(map.key_type_id), map.key_size)?)?;
        table.set("value_type", element_table(lua, btf, TypeId(map.value_type_id), map.value_size)?)?;
        table.set("flags", map.flags)?;
        table.set("event_type", type_table(lua, btf, event_type)?)?;
        Ok(table)
    };
    fill().map_err(|error| from_mlua("maps", &error))
}

/// The type of a key or value; a C text may give its size alone (`__uint(key_size, 4)`).
fn element_table(lua: &Lua, btf: Option<&Btf>, id: TypeId, size: u32) -> mlua::Result<Value> {
    match type_table(lua, btf, id)? {
        Value::Nil if size > 0 => CType::of_size(size.into()).to_table(lua)?.into_lua(lua),
        known => Ok(known),
    }
}

pub(super) fn type_table(lua: &Lua, btf: Option<&Btf>, id: TypeId) -> mlua::Result<Value> {
    match btf.and_then(|btf| describe(btf, id)) {
        Some(ctype) => ctype.to_table(lua)?.into_lua(lua),
        None => Ok(Value::Nil),
    }
}
