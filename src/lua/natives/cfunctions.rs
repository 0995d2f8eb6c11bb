// SPDX-License-Identifier: Apache-2.0
//! The C functions of the `bpf` and `events` rooms, as addresses for LuaJIT's FFI.

use std::ffi::c_void;

use mlua::{LightUserData, Lua, Table};

use crate::{bpf, events};

/// `native.cfunctions`: `cdef`, the structs that the functions take; `functions`, by name `{ctype, address}`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let functions = lua.create_table()?;
    for export in events::ffi::exports() {
        add(lua, &functions, export.name, &export.ctype, export.address)?;
    }
    let table = lua.create_table()?;
    table.set("cdef", format!("{}{}", events::ffi::cdef(), struct_declarations(bpf::ffi::CDEF)))?;
    table.set("functions", functions)?;
    Ok(table)
}

fn add(lua: &Lua, functions: &Table, name: &str, ctype: &str, address: *const c_void) -> mlua::Result<()> {
    let export = lua.create_table()?;
    export.set("ctype", ctype)?;
    export.set("address", LightUserData(address.cast_mut()))?;
    functions.set(name, export)
}

/// A C header's text without its function prototypes: LuaJIT would look those up in the executable.
fn struct_declarations(cdef: &str) -> String {
    cdef.lines().filter(|line| !is_prototype(line)).collect::<Vec<_>>().join("\n")
}

fn is_prototype(line: &str) -> bool {
    line.ends_with(");") && !line.starts_with(' ')
}
