// SPDX-License-Identifier: Apache-2.0
//! Facts of the machine: names of system calls and errnos, where tracefs is.

use mlua::{Lua, Table};
use once_cell::sync::OnceCell;

use crate::error::{Error, Result, errno_name, errno_words};
use crate::kernel::btf::{Btf, Kind};
use crate::kernel::features::{Feature, supports};
use crate::kernel::tracefs::Tracefs;
use crate::kernel::{cpus, syscalls, traceable};
use crate::lua::errors::Natives;
use crate::lua::host::Host;

/// `native.kernel`: `syscall_prefix()`, `syscall_function(name)`, `syscall_name(number)`, `errno_name(n)`,
/// `errno_words(n)`, `trace_pipe()`, `online_cpus()`, `possible_cpus()`; what this kernel has: `struct_has_field(struct, member)` and
/// `enum_has_value(enum, name)` (nil when there is no such type), `has_tracepoint(category, event)`,
/// `tracepoints(regex)`, `functions(regex)`, `supports(feature)` and, if not, why.
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
    natives.add("online_cpus", "get_online_cpus", |_, ()| cpus::online())?;
    natives.add("possible_cpus", "get_possible_cpus", |_, ()| cpus::possible())?;
    add_facts(&natives)?;
    Ok(natives.into_table())
}

fn add_facts(natives: &Natives<'_>) -> mlua::Result<()> {
    natives.add("struct_has_field", "kernel_struct_has_field", |lua, (name, field): (String, String)| {
        let Some(btf) = types(lua)? else { return Ok(None) };
        let known = [Kind::Struct, Kind::Union].into_iter().any(|kind| btf.find(kind, &name).is_some());
        Ok(known.then(|| btf.struct_has_field(&name, &field)))
    })?;
    natives.add("enum_has_value", "kernel_enum_has_val", |lua, (name, value): (String, String)| {
        let Some(btf) = types(lua)? else { return Ok(None) };
        Ok(btf.find(Kind::Enum, &name).map(|_| btf.enum_has_value(&name, &value)))
    })?;
    natives.add("has_tracepoint", "tracepoint_exists", |_, (category, event): (String, String)| {
        Ok(Tracefs::open()?.has_tracepoint(&category, &event))
    })?;
    natives.add("tracepoints", "get_tracepoints", |_, regex: String| Tracefs::open()?.tracepoints_matching(&regex))?;
    natives.add("functions", "get_kprobe_functions", |_, regex: String| {
        let functions = traceable::shared()?;
        Ok(functions.matching(&regex)?.into_iter().map(str::to_owned).collect::<Vec<_>>())
    })?;
    natives.add("supports", "support", |_, name: String| {
        let feature = Feature::ALL.into_iter().find(|feature| feature.name() == name);
        let feature = feature.ok_or_else(|| Error::bug("cannot tell what the kernel supports", name))?;
        let support = supports(feature);
        Ok((support.is_supported(), (!support.is_supported()).then(|| support.to_string())))
    })
}

/// The types that C texts are compiled for, read once; nothing when there are none.
fn types(lua: &Lua) -> Result<Option<&'static Btf>> {
    static TYPES: OnceCell<Option<Btf>> = OnceCell::new();
    let given = Host::of(lua)?.settings.btf.clone();
    let types = TYPES.get_or_try_init(|| match given {
        Some(path) => Btf::open(path).map(Some),
        None => Ok(Btf::kernel().ok()),
    });
    types.map(Option::as_ref)
}
