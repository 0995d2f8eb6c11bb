// SPDX-License-Identifier: Apache-2.0
//! What the running script says of itself: the entry of its pack, and values of its parameters.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use mlua::{Lua, LuaSerdeExt as _, Table, Value};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::kernel::privilege::effective_uid;
use crate::lua::errors::{Natives, from_mlua};
use crate::lua::host::{Host, PackEntry};
use crate::packs::entry::Parameter;
use crate::packs::installed::Place;
use crate::packs::manifest::Head;
use crate::packs::open;
use crate::packs::policy::Policy;
use crate::packs::units::{self, Given};

const WHAT: &str = "BPF.tool";

/// `native.pack`: `entry()`, `grants()`, `parse(parameter, text)`, `folders()`, `verify(place, name)`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("entry", WHAT, |lua, ()| entry(lua))?;
    natives.add("grants", WHAT, |lua, ()| {
        let Some(entry) = Host::of(lua)?.settings.entry.clone().filter(|entry| entry.is_held) else { return Ok(None) };
        let fill = || -> mlua::Result<Table> {
            let grants = lua.create_table()?;
            grants.set("who", format!("pack `{}`", entry.pack))?;
            grants.set("lua", entry.entry.requires.lua)?;
            grants.set("is_part", entry.is_part)?;
            Ok(grants)
        };
        fill().map(Some).map_err(|error| from_mlua(WHAT, &error))
    })?;
    natives.add("parse", WHAT, |lua, (parameter, text): (Value, String)| {
        let parameter: Parameter = lua.from_value(parameter).map_err(|error| from_mlua(WHAT, &error))?;
        Ok(match units::parse(&parameter, &text) {
            Ok(given) => (to_lua(lua, given)?, None),
            Err(why) => (Value::Nil, Some(why)),
        })
    })?;
    natives.add("folders", "require", |lua, ()| folders(lua))?;
    natives.add("verify", "require", |_, (place, name): (String, String)| {
        let place = Place { folder: place.into(), refused: None };
        open::verify(&place, &name, effective_uid(), &Policy::limits_of_machine())
    })?;
    Ok(natives.into_table())
}

/// The folders of the packs that the running tool is of and needs, by their names.
fn folders(lua: &Lua) -> Result<Table> {
    let fill = || -> mlua::Result<Table> {
        let table = lua.create_table()?;
        let host = Host::of(lua).map_err(mlua::Error::external)?;
        for (name, folder) in host.settings.entry.iter().flat_map(|entry| &entry.packs) {
            table.set(name.as_str(), lua.create_string(folder.as_os_str().as_bytes())?)?;
        }
        Ok(table)
    };
    fill().map_err(|error| from_mlua("require", &error))
}

fn to_lua(lua: &Lua, given: Given) -> Result<Value> {
    Ok(match given {
        Given::Flag(value) => Value::Boolean(value),
        Given::Number(value) => Value::Number(value),
        Given::Text(value) => Value::String(lua.create_string(value).map_err(|error| from_mlua(WHAT, &error))?),
    })
}

/// The entry that runs: that of the pack it was found in, else what the script's head says.
fn entry(lua: &Lua) -> Result<Value> {
    let host = Host::of(lua)?;
    let given = host.settings.entry.clone();
    let entry = match given {
        Some(entry) => entry,
        None => of_head(&host.script.name, &host.script.text)?,
    };
    // Absent values are absent in Lua, not a null.
    let options = mlua::serde::ser::Options::new().serialize_none_to_null(false).serialize_unit_to_null(false);
    let serializer = mlua::serde::Serializer::new_with_options(lua, options.set_array_metatable(false));
    entry.serialize(serializer).map_err(|error| from_mlua(WHAT, &error))
}

fn of_head(name: &str, text: &[u8]) -> Result<PackEntry> {
    let head = Head::parse(&String::from_utf8_lossy(text), name)?;
    let Some(head) = head else {
        return Err(Error::script("cannot call `BPF.tool`", format!("`{name}` does not say what it takes"))
            .with_hint("begin the file with a comment `--[==[ pack … ]==]` that has `summary` and `parameters`"));
    };
    let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = head.pack.as_ref().map_or_else(|| stem.unwrap_or_default(), |pack| pack.name.clone());
    let version = head.pack.map(|pack| pack.version);
    Ok(PackEntry { pack: name.clone(), name, version, entry: head.entry, ..PackEntry::default() })
}
