// SPDX-License-Identifier: Apache-2.0
//! What can be probed, and what each probe hands to a program.

use mlua::{AnyUserData, Lua, Table, UserData};
use once_cell::unsync::OnceCell;

use crate::error::Result;
use crate::kernel::tracefs::DataLocation;
use crate::lua::errors::{Natives, from_mlua};
use crate::probes::{Field, Found, Kind, Place, Shape, Spec, Target, counter_number, expand, list, nothing_matches};

/// A probe held by Lua, with its fields once they were asked for.
#[derive(Debug)]
struct TargetValue {
    target: Target,
    pid: Option<i32>,
    fields: OnceCell<Vec<Field>>,
}

impl UserData for TargetValue {}

impl TargetValue {
    fn fields(&self) -> Result<&[Field]> {
        self.fields.get_or_try_init(|| self.target.fields(self.pid)).map(Vec::as_slice)
    }
}

/// `native.probes`: `expand(text, pid, what)` gives targets, `describe(target)` says what one is, `fields(target)` what it
/// hands to a program, `find(target, path, what)` where a path leads (nil: to no field), `no_field(target, name, also,
/// what)` raises; `list(pattern, pid)`, `nothing(pattern, pid)` raises; `kinds()`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("expand", "probe", |_, (text, pid, what): (String, Option<i32>, String)| {
        let targets = expand(&Spec::parse(&text, &what)?, pid, &what)?;
        let values = targets.into_iter().map(|target| TargetValue { target, pid, fields: OnceCell::new() });
        Ok(values.collect::<Vec<_>>())
    })?;
    natives.add("describe", "probe", |lua, (target, what): (AnyUserData, String)| {
        let value = borrow(&target)?;
        describe(lua, &value.target, &what)
    })?;
    natives.add("fields", "probe", |lua, target: AnyUserData| {
        let value = borrow(&target)?;
        let fields = value.fields()?;
        let tables = fields.iter().map(|field| field_table(lua, field)).collect::<mlua::Result<Vec<_>>>();
        tables.map_err(|error| from_mlua("probe", &error))
    })?;
    natives.add("find", "probe", |lua, (target, path, what): (AnyUserData, String, String)| {
        let value = borrow(&target)?;
        let found = value.target.find(value.fields()?, &path, &what)?;
        found.map(|found| found_table(lua, &found)).transpose().map_err(|error| from_mlua("probe", &error))
    })?;
    natives.add(
        "no_field",
        "probe",
        |_, (target, name, also, what): (AnyUserData, String, Vec<String>, String)| -> Result<()> {
            let value = borrow(&target)?;
            Err(value.target.no_field(value.fields()?, &name, &also, &what))
        },
    )?;
    natives.add("list", "list", |lua, (pattern, pid): (String, Option<i32>)| {
        let row = |listed: &crate::probes::Listed| {
            let table = lua.create_table()?;
            table.set("text", listed.target.text())?;
            table.set("kernel_module", listed.kernel_module.as_deref())?;
            table.set("is_traceable", listed.is_traceable)?;
            Ok(table)
        };
        let rows = list(&pattern, pid)?.iter().map(row).collect::<mlua::Result<Vec<Table>>>();
        rows.map_err(|error| from_mlua("list", &error))
    })?;
    natives.add("nothing", "list", |_, (pattern, pid): (String, Option<i32>)| -> Result<()> {
        Err(nothing_matches(&pattern, pid))
    })?;
    natives.add("kinds", "probe", |_, ()| {
        Ok(Kind::ALL.into_iter().flat_map(|kind| kind.names().iter().copied()).map(str::to_owned).collect::<Vec<_>>())
    })?;
    Ok(natives.into_table())
}

fn borrow(target: &AnyUserData) -> Result<mlua::UserDataRef<TargetValue>> {
    target.borrow::<TargetValue>().map_err(|error| from_mlua("cannot use the probe", &error))
}

fn describe(lua: &Lua, target: &Target, what: &str) -> Result<Table> {
    let is_counter = matches!(target.kind, Kind::Software | Kind::Hardware);
    let number = is_counter.then(|| counter_number(target.kind, target.short_name(), what)).transpose()?;
    let fill = || -> mlua::Result<Table> {
        let table = lua.create_table()?;
        table.set("kind", target.kind.name())?;
        table.set("text", target.text())?;
        table.set("short_name", target.short_name())?;
        table.set("number", number)?;
        match &target.place {
            Place::Function { module, name, offset } => {
                table.set("module", module.as_deref())?;
                table.set("name", name.as_str())?;
                table.set("offset", *offset)?;
            }
            Place::Event { category, name } => {
                table.set("category", category.as_deref())?;
                table.set("name", name.as_str())?;
            }
            Place::User { path, name, offset } => {
                table.set("path", path.as_str())?;
                table.set("name", name.as_str())?;
                table.set("offset", *offset)?;
            }
            Place::Usdt { path, provider, name } => {
                table.set("path", path.as_str())?;
                table.set("provider", provider.as_deref())?;
                table.set("name", name.as_str())?;
            }
            Place::Counter { period, .. } => table.set("period", *period)?,
            Place::Clock { hertz, nanoseconds } => {
                table.set("hertz", *hertz)?;
                table.set("nanoseconds", *nanoseconds)?;
            }
        }
        Ok(table)
    };
    fill().map_err(|error| from_mlua("probe", &error))
}

fn field_table(lua: &Lua, field: &Field) -> mlua::Result<Table> {
    let table = shape_table(lua, &field.shape)?;
    table.set("name", field.name.as_str())?;
    table.set("declaration", field.declaration.as_str())?;
    table.set("holder", field.holder.as_str())?;
    table.set("offset", field.offset)?;
    Ok(table)
}

fn found_table(lua: &Lua, found: &Found) -> mlua::Result<Table> {
    let table = shape_table(lua, &found.shape)?;
    table.set("field", found.field + 1)?;
    table.set("expression", found.expression.as_str())?;
    table.set("c_type", found.c_type.as_str())?;
    Ok(table)
}

/// `shape` is one of int, bool, enum, text, text_array, record_text, bytes, pointer, record, opaque; with it `size`, `signed`,
/// `user`, `relative`, `names` (text by number), `members`.
fn shape_table(lua: &Lua, shape: &Shape) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let kind = match shape {
        Shape::Int { size, signed } => {
            table.set("size", *size)?;
            table.set("signed", *signed)?;
            "int"
        }
        Shape::Bool => "bool",
        Shape::Enum { size, names } => {
            table.set("size", *size)?;
            let by_number = lua.create_table()?;
            for (number, name) in names {
                by_number.set(*number, name.as_str())?;
            }
            table.set("names", by_number)?;
            "enum"
        }
        Shape::Text { user } => {
            table.set("user", *user)?;
            "text"
        }
        Shape::TextArray { size } => {
            table.set("size", *size)?;
            "text_array"
        }
        Shape::RecordText(location) => {
            table.set("relative", *location == DataLocation::FromField)?;
            "record_text"
        }
        Shape::Bytes { size } => {
            table.set("size", *size)?;
            "bytes"
        }
        Shape::Pointer => "pointer",
        Shape::Record { members } => {
            table.set("members", members.as_slice())?;
            "record"
        }
        Shape::Opaque => "opaque",
    };
    table.set("shape", kind)?;
    Ok(table)
}
