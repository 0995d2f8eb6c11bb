// SPDX-License-Identifier: Apache-2.0
//! The terminal: how wide it is, and all of it for a live view.

use std::os::fd::{AsFd as _, AsRawFd as _};

use mlua::{AnyUserData, Lua, LuaString, Table, UserData};

use crate::error::{Error, Result};
use crate::events::terminal::{self, LiveTerminal, Size};
use crate::lua::errors::{Natives, from_mlua};

/// The width where there is no terminal.
const COLUMNS: u16 = 80;
const ROWS: u16 = 24;

/// A terminal held by Lua.
#[derive(Debug)]
struct TerminalValue(LiveTerminal);

impl UserData for TerminalValue {}

/// `native.terminal`: `size()` of the standard output, `is_output()` whether that is a terminal, `own_size()` of the process's terminal, columns and rows;
/// `open()`, and with what it gives `fd`, `keys`, `write`, `live_size`, `close`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("size", "show", |_, ()| Ok(numbers(terminal::output_size().or_else(from_environment))))?;
    natives.add("is_output", "view", |_, ()| Ok(terminal::output_size().is_some()))?;
    natives.add("own_size", "show", |_, ()| Ok(numbers(terminal::size().or_else(from_environment))))?;
    natives.add("open", "watch", |lua, ()| {
        let opened = LiveTerminal::open().map_err(|err| Error::io("cannot show a live view: no terminal", &err))?;
        lua.create_userdata(TerminalValue(opened)).map_err(|error| from_mlua("watch", &error))
    })?;
    natives.add("fd", "watch", |_, terminal: AnyUserData| with(&terminal, |open| Ok(open.as_fd().as_raw_fd())))?;
    natives.add("live_size", "watch", |_, terminal: AnyUserData| with(&terminal, |open| Ok(numbers(open.size()))))?;
    natives.add("keys", "watch", |lua, terminal: AnyUserData| {
        let keys = with(&terminal, |open| open.keys().map_err(|err| Error::io("cannot read the terminal", &err)))?;
        lua.create_string(&keys).map_err(|error| from_mlua("watch", &error))
    })?;
    natives.add("write", "watch", |_, (terminal, text): (AnyUserData, LuaString)| {
        with(&terminal, |open| {
            open.write(&text.as_bytes()).map_err(|err| Error::io("cannot write to the terminal", &err))
        })
    })?;
    natives.add("close", "watch", |_, terminal: AnyUserData| Ok(terminal.take::<TerminalValue>().map(drop).is_ok()))?;
    Ok(natives.into_table())
}

fn with<R>(terminal: &AnyUserData, body: impl FnOnce(&mut LiveTerminal) -> Result<R>) -> Result<R> {
    let mut open = terminal.borrow_mut::<TerminalValue>().map_err(|error| from_mlua("watch", &error))?;
    body(&mut open.0)
}

fn numbers(size: Option<Size>) -> (u16, u16) {
    size.map_or((COLUMNS, ROWS), |size| (size.columns, size.rows))
}

/// What a shell says of its own terminal.
fn from_environment() -> Option<Size> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u16>().ok().filter(|number| *number > 0);
    Some(Size { columns: number("COLUMNS")?, rows: number("LINES").unwrap_or(ROWS) })
}
