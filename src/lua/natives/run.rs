// SPDX-License-Identifier: Apache-2.0
//! What the run is: its task, its verbosity, lines for the user.

use mlua::{Lua, Table};

use crate::lua::errors::function;
use crate::lua::host::{Host, Task};

/// `native.run`: `checking()`, `notice(level, line)`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("checking", function(lua, "checking", |lua, ()| Ok(Host::of(lua)?.settings.task != Task::Run))?)?;
    table.set("notice", function(lua, "notice", |lua, (level, line): (u8, String)| {
        Host::of(lua)?.notice(level, || line);
        Ok(())
    })?)?;
    Ok(table)
}
