// SPDX-License-Identifier: Apache-2.0
//! JSON as Lua values.

use mlua::{BString, Lua, Table, Value};

use crate::error::{Error, Result};
use crate::lua::errors::{Natives, from_mlua};

const WHAT: &str = "json.decode";

/// `native.json`: `decode(text)`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("decode", WHAT, |lua, text: BString| decode(lua, &text))?;
    Ok(natives.into_table())
}

fn decode(lua: &Lua, text: &[u8]) -> Result<Value> {
    let value: serde_json::Value = serde_json::from_slice(text)
        .map_err(|error| Error::script("cannot read the text as JSON", error.to_string()))?;
    to_lua(lua, &value).map_err(|error| from_mlua(WHAT, &error))
}

/// Null is nil; a number is the nearest one of Lua's.
fn to_lua(lua: &Lua, value: &serde_json::Value) -> mlua::Result<Value> {
    Ok(match value {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => Value::Boolean(*value),
        serde_json::Value::Number(value) => Value::Number(value.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(value) => Value::String(lua.create_string(value)?),
        serde_json::Value::Array(values) => {
            let table = lua.create_table_with_capacity(values.len(), 0)?;
            for (at, value) in values.iter().enumerate() {
                table.raw_set(at + 1, to_lua(lua, value)?)?;
            }
            Value::Table(table)
        }
        serde_json::Value::Object(members) => {
            let table = lua.create_table_with_capacity(0, members.len())?;
            for (name, value) in members {
                table.raw_set(name.as_str(), to_lua(lua, value)?)?;
            }
            Value::Table(table)
        }
    })
}
