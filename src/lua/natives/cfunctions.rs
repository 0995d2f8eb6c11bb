// SPDX-License-Identifier: Apache-2.0
//! The C functions of the `bpf` and `events` rooms and those for names, as addresses for LuaJIT's FFI.

use std::ffi::c_void;

use mlua::{LightUserData, Lua, Table};

use super::symbol_names;
use crate::{bpf, events};

/// `native.cfunctions`: `cdef`, the structs that the functions take; `functions`, by name `{ctype, address}`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let functions = lua.create_table()?;
    for (name, address) in bpf::ffi::functions() {
        add(lua, &functions, name, &format!("{name}_t"), address)?;
    }
    for export in events::ffi::exports().into_iter().chain(symbol_names::exports()) {
        add(lua, &functions, export.name, &export.ctype, export.address)?;
    }
    let table = lua.create_table()?;
    table.set("cdef", format!("{}{}{}", events::ffi::cdef(), bpf::ffi::CDEF, symbol_names::cdef()))?;
    table.set("functions", functions)?;
    Ok(table)
}

fn add(lua: &Lua, functions: &Table, name: &str, ctype: &str, address: *const c_void) -> mlua::Result<()> {
    let export = lua.create_table()?;
    export.set("ctype", ctype)?;
    export.set("address", LightUserData(address.cast_mut()))?;
    functions.set(name, export)
}
