// SPDX-License-Identifier: Apache-2.0
//! Facts of the machine: names of system calls and errnos, where tracefs is.

use mlua::{Lua, Table};

use crate::error::{errno_name, errno_words};
use crate::kernel::syscalls;
use crate::kernel::tracefs::Tracefs;
use crate::lua::errors::Natives;

/// `native.kernel`: `syscall_prefix()`, `syscall_function(name)`, `syscall_name(number)`, `errno_name(n)`,
/// `errno_words(n)`, `trace_pipe()`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("syscall_prefix", "get_syscall_prefix", |_, ()| syscalls::prefix())?;
    natives.add("syscall_function", "get_syscall_fnname", |_, name: String| {
        Ok(syscalls::function_name(syscalls::prefix()?, &name))
    })?;
    natives.add("syscall_name", "syscall_name", |_, number: u32| Ok(syscalls::name(number)))?;
    natives.add("errno_name", "errno_name", |_, errno: i32| Ok(errno_name(errno.saturating_abs())))?;
    natives.add("errno_words", "errno_words", |_, errno: i32| Ok(errno_words(errno)))?;
    natives
        .add("trace_pipe", "trace_fields", |_, ()| Ok(Tracefs::open()?.trace_pipe().to_string_lossy().into_owned()))?;
    Ok(natives.into_table())
}
