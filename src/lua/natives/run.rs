// SPDX-License-Identifier: Apache-2.0
//! What the run is: its task, lines for the user, its end.

use std::os::unix::ffi::OsStrExt as _;

use mlua::{Lua, Table};

use crate::error::Result;
use crate::events::stop;
use crate::kernel::privilege::effective_uid;
use crate::lua::errors::{Natives, from_mlua};
use crate::lua::host::{BccLua, Host, Task};
use crate::lua::interrupt;
use crate::packs::{embedded, installed};
use crate::resident;
use crate::timings;

/// `native.run`: `notice(level, line)`, `set_loop(table)`, `request_stop()`, `folder()`, `json()`, `bcc_lua()`, `task()`,
/// `source(path)`, `sources()`, `pack_folders()`, `give_back()`, `ready()`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("notice", "notice", |lua, (level, line): (u8, String)| {
        Host::of(lua)?.settings.tell(level, || line);
        Ok(())
    })?;
    natives.add("set_loop", "set_loop", |lua, events: Table| {
        lua.set_named_registry_value(interrupt::LOOP, events).map_err(|error| from_mlua("set_loop", &error))
    })?;
    natives.add("request_stop", "exit", |_, ()| {
        stop::request();
        Ok(())
    })?;
    natives.add("give_back", "run", |_, ()| {
        #[cfg(feature = "compiler")]
        crate::compiler::await_ends();
        resident::give_back();
        Ok(())
    })?;
    natives.add("task", "task", |lua, ()| {
        Ok(match Host::of(lua)?.settings.task {
            Task::Run => "run",
            Task::Check { .. } => "check",
            Task::Types => "types",
        })
    })?;
    natives.add("json", "json", |lua, ()| Ok(Host::of(lua)?.settings.json))?;
    natives.add("bcc_lua", "bcc_lua", |lua, ()| {
        let host = Host::of(lua)?;
        let BccLua { called, llvm_debug } = host.settings.bcc_lua.clone();
        Ok((called, host.settings.verbosity > 0, llvm_debug))
    })?;
    natives.add("source", "source", |lua, path: String| {
        let text = embedded::lua_file(&path).map(|text| lua.create_string(&*text));
        text.transpose().map_err(|error| from_mlua("source", &error))
    })?;
    natives.add("sources", "sources", |_, ()| Ok(embedded::lua_files().collect::<Vec<_>>()))?;
    natives.add("pack_folders", "require", |lua, ()| pack_folders(lua))?;
    natives.add("ready", "ready", |lua, ()| {
        if let Some(line) = timings::stop() {
            Host::of(lua)?.settings.tell(2, || line);
        }
        Ok(())
    })?;
    natives.add("folder", "folder", |lua, ()| {
        let host = Host::of(lua)?;
        let folder = host.script.path.as_deref().and_then(std::path::Path::parent);
        Ok(folder.map(|folder| folder.to_string_lossy().into_owned()))
    })?;
    Ok(natives.into_table())
}

/// The folders that hold packs: `{folder, refused}` each.
fn pack_folders(lua: &Lua) -> Result<Vec<Table>> {
    let places = installed::places(&|name| std::env::var_os(name), effective_uid());
    let tables = places.into_iter().map(|place| {
        let table = lua.create_table()?;
        table.set("folder", lua.create_string(place.folder.as_os_str().as_bytes())?)?;
        table.set("refused", place.refused)?;
        Ok(table)
    });
    tables.collect::<mlua::Result<_>>().map_err(|error| from_mlua("require", &error))
}
