// SPDX-License-Identifier: Apache-2.0
//! The C functions of the `bpf` and `events` rooms, as addresses for LuaJIT's FFI.

use std::ffi::c_void;

use mlua::{LightUserData, Lua, Table};

use crate::bpf::ffi as bpf;

/// `native.cfunctions`: `cdef`, the structs that the functions take; `functions`, by name `{ctype, address}`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let functions = lua.create_table()?;
    let table = lua.create_table()?;
    table.set("cdef", "")?;
    table.set("functions", functions)?;
    Ok(table)
}

fn add(lua: &Lua, functions: &Table, name: &str, ctype: &str, address: *const c_void) -> mlua::Result<()> {
    let export = lua.create_table()?;
    export.set("ctype", ctype)?;
    export.set("address", LightUserData(address.cast_mut()))?;
    functions.set(name, export)
}
