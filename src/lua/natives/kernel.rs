// SPDX-License-Identifier: Apache-2.0
//! Facts of the machine: names of system calls and errnos, where tracefs is.

use mlua::{Lua, Table};

use crate::error::errno_words;
use crate::kernel::syscalls;
use crate::kernel::tracefs::Tracefs;
use crate::lua::errors::function;

/// `native.kernel`: `syscall_prefix()`, `syscall_function(name)`, `syscall_name(number)`, `errno_words(n)`,
/// `trace_pipe()`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("syscall_prefix", function(lua, "get_syscall_prefix", |_, ()| syscalls::prefix())?)?;
    table.set(
        "syscall_function",
        function(lua, "get_syscall_fnname", |_, name: String| Ok(syscalls::function_name(syscalls::prefix()?, &name)))?,
    )?;
    table.set("syscall_name", function(lua, "syscall_name", |_, number: u32| Ok(syscalls::name(number)))?)?;
    table.set("errno_words", function(lua, "errno_words", |_, errno: i32| Ok(errno_words(errno)))?)?;
    table.set(
        "trace_pipe",
        function(lua, "trace_fields", |_, ()| Ok(Tracefs::open()?.trace_pipe().to_string_lossy().into_owned()))?,
    )?;
    Ok(table)
}
