// SPDX-License-Identifier: Apache-2.0
//! A described type as a Lua table; `scripts/lib/types.lua` is its reader.

use mlua::{IntoLua as _, Lua, Table, Value};

use super::describe::{CType, Field, Shape};

impl CType {
    /// `{name, size, kind, decl, id}`, and by kind: `signed`, `values` and `order`, `element` and `count`, `fields`. Types of
    /// one `id` are the same for every purpose but their name. A value of an enum that a Lua number may not hold exactly
    /// is a string of its digits.
    pub fn to_table(&self, lua: &Lua) -> mlua::Result<Table> {
        let table = lua.create_table()?;
        table.set("name", self.name.as_str())?;
        table.set("size", self.size_bytes)?;
        table.set("decl", self.declaration())?;
        table.set("kind", self.kind())?;
        table.set("id", format!("{:016x}", self.identity()))?;
        match &self.shape {
            Shape::Int { signed } | Shape::Int128 { signed } => table.set("signed", *signed)?,
            Shape::Enum { signed, values } => {
                table.set("signed", *signed)?;
                table.set("order", lua.create_sequence_from(values.iter().map(|(name, _)| name.as_str()))?)?;
                let numbers = lua.create_table()?;
                for (name, value) in values {
                    numbers.set(name.as_str(), enumerator(lua, *value, *signed)?)?;
                }
                table.set("values", numbers)?;
            }
            Shape::Array { element, count } => {
                table.set("element", element.to_table(lua)?)?;
                table.set("count", *count)?;
            }
            Shape::Struct { fields, .. } => {
                let fields = fields.iter().map(|field| field.to_table(lua)).collect::<mlua::Result<Vec<_>>>()?;
                table.set("fields", fields)?;
            }
            Shape::Char | Shape::Bool | Shape::Float | Shape::Pointer | Shape::Bytes => {}
        }
        Ok(table)
    }

    fn kind(&self) -> &'static str {
        match &self.shape {
            Shape::Int { .. } => "int",
            Shape::Char => "char",
            Shape::Bool => "bool",
            Shape::Float => "float",
            Shape::Enum { .. } => "enum",
            Shape::Pointer => "pointer",
            Shape::Int128 { .. } => "int128",
            Shape::Array { .. } => "array",
            Shape::Struct { is_union: true, .. } => "union",
            Shape::Struct { .. } => "struct",
            Shape::Bytes => "bytes",
        }
    }
}

/// Numbers whose text in Lua is all their digits.
const EXACT: i64 = 10_i64.pow(14);

fn enumerator(lua: &Lua, value: i64, signed: bool) -> mlua::Result<Value> {
    if -EXACT < value && value < EXACT && (signed || value >= 0) {
        return value.into_lua(lua);
    }
    let digits = if signed { value.to_string() } else { value.cast_unsigned().to_string() };
    digits.into_lua(lua)
}

impl Field {
    /// `{name, offset, type}`; a bit-field has `bit` (from the byte at `offset`) and `bits`; `hidden` when the
    /// declaration lacks it.
    fn to_table(&self, lua: &Lua) -> mlua::Result<Table> {
        let table = lua.create_table()?;
        table.set("name", self.name.as_str())?;
        table.set("offset", self.bit_offset / 8)?;
        table.set("type", self.ctype.to_table(lua)?)?;
        if self.bit_size > 0 {
            table.set("bit", self.bit_offset % 8)?;
            table.set("bits", self.bit_size)?;
        }
        if !self.is_declared() {
            table.set("hidden", true)?;
        }
        Ok(table)
    }
}
