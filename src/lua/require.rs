// SPDX-License-Identifier: Apache-2.0
//! `require` for the embedded library: `require("bpflua.map")` is `scripts/lib/map.lua`, and a further dot
//! is a folder.

use mlua::{Function, Lua, Table, Value};

use super::errors;
use crate::packs::embedded;

const PREFIX: &str = "bpflua.";

/// Puts the searcher first in `package.loaders` and the natives in `package.loaded`.
pub fn install(lua: &Lua, natives: Table) -> mlua::Result<()> {
    let package: Table = lua.globals().get("package")?;
    let loaded: Table = package.get("loaded")?;
    loaded.set("bpflua.native", natives)?;
    loaded.set("bpflua.errors", errors::lua_half(lua)?)?;
    let loaders: Table = package.get("loaders")?;
    loaders.raw_insert(1, lua.create_function(|lua, name: String| search(lua, &name))?)
}

/// A searcher by Lua's rules: the loader of the module, or a line for the message when there is none.
fn search(lua: &Lua, name: &str) -> mlua::Result<Value> {
    let Some(short) = name.strip_prefix(PREFIX) else {
        return Ok(Value::Nil);
    };
    let path = short.replace('.', "/");
    match embedded::lua(&path) {
        Some(script) => {
            let loader: Function = lua.load(&*script.chunk).set_name(script.chunk_name).into_function()?;
            Ok(Value::Function(loader))
        }
        None => Ok(Value::String(lua.create_string(format!("\n\tno embedded file 'scripts/lib/{path}.lua'"))?)),
    }
}
