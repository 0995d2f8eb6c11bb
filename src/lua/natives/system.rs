// SPDX-License-Identifier: Apache-2.0
//! What the whole system holds of BPF, and what the probes of an object cost.

use mlua::{AnyUserData, Lua, Table, UserData};

use super::object::with;
use crate::bpf::{Cost, RunCounting, SystemLink, SystemMap, SystemProgram, system_links, system_maps, system_programs};
use crate::error::Result;
use crate::kernel::bpf_holders::Holder;
use crate::lua::errors::{Natives, from_mlua};

/// The kernel's counting of runs, held by Lua.
#[derive(Debug)]
struct CountingValue(#[allow(dead_code, reason = "counts while it lives")] RunCounting);

impl UserData for CountingValue {}

/// `native.system`: `programs()`, `maps()`, `links()`; `costs(object)`; `count_runs()`, which counts until it is given to
/// `stop_counting`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("programs", "list_programs", |lua, ()| list(lua, &system_programs()?, program_table))?;
    natives.add("maps", "list_maps", |lua, ()| list(lua, &system_maps()?, map_table))?;
    natives.add("links", "list_links", |lua, ()| list(lua, &system_links()?, link_table))?;
    natives.add("costs", "cost", |lua, object: AnyUserData| {
        let costs = with(&object, |object| object.costs())?;
        list(lua, &costs, cost_table)
    })?;
    natives.add("count_runs", "cost", |lua, ()| {
        let counting = RunCounting::start()?;
        lua.create_userdata(CountingValue(counting)).map_err(|error| from_mlua("cost", &error))
    })?;
    natives.add("stop_counting", "cost", |_, counting: AnyUserData| {
        Ok(counting.take::<CountingValue>().map(drop).is_ok())
    })?;
    Ok(natives.into_table())
}

fn list<T>(lua: &Lua, all: &[T], table: impl Fn(&Lua, &T) -> mlua::Result<Table>) -> Result<Table> {
    let tables = all.iter().map(|one| table(lua, one)).collect::<mlua::Result<Vec<Table>>>();
    tables.and_then(|tables| lua.create_sequence_from(tables)).map_err(|error| from_mlua("list", &error))
}

fn holder_tables(lua: &Lua, holders: &[Holder]) -> mlua::Result<Table> {
    let tables = holders.iter().map(|holder| {
        let table = lua.create_table()?;
        table.set("pid", holder.pid)?;
        table.set("comm", holder.comm.as_str())?;
        Ok(table)
    });
    lua.create_sequence_from(tables.collect::<mlua::Result<Vec<Table>>>()?)
}

fn program_table(lua: &Lua, program: &SystemProgram) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("id", program.id)?;
    table.set("kind", program.kind.as_str())?;
    table.set("name", program.name.as_str())?;
    table.set("loaded_ns", program.loaded_ns)?;
    table.set("uid", program.uid)?;
    table.set("xlated_bytes", program.xlated_bytes)?;
    table.set("jited_bytes", program.jited_bytes)?;
    table.set("memory_bytes", program.memory_bytes)?;
    table.set("runs", program.runs)?;
    table.set("time_ns", program.time_ns)?;
    table.set("missed", program.missed)?;
    table.set("maps", program.maps.clone())?;
    table.set("holders", holder_tables(lua, &program.holders)?)?;
    Ok(table)
}

fn map_table(lua: &Lua, map: &SystemMap) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("id", map.id)?;
    table.set("kind", map.kind.name())?;
    table.set("name", map.name.as_str())?;
    table.set("key_size", map.key_size)?;
    table.set("value_size", map.value_size)?;
    table.set("max_entries", map.max_entries)?;
    table.set("flags", map.flags)?;
    table.set("memory_bytes", map.memory_bytes)?;
    table.set("holders", holder_tables(lua, &map.holders)?)?;
    Ok(table)
}

fn link_table(lua: &Lua, link: &SystemLink) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("id", link.id)?;
    table.set("kind", link.kind.as_str())?;
    table.set("program", link.program)?;
    table.set("target", link.target.as_str())?;
    table.set("missed", link.missed)?;
    table.set("holders", holder_tables(lua, &link.holders)?)?;
    Ok(table)
}

fn cost_table(lua: &Lua, cost: &Cost) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("probes", cost.probes.iter().map(|probe| probe.0).collect::<Vec<_>>())?;
    table.set("kind", cost.kind.name())?;
    table.set("targets", cost.targets.clone())?;
    table.set("fn_name", cost.function.as_str())?;
    table.set("mechanism", cost.mechanism.name())?;
    table.set("program", cost.program)?;
    table.set("runs", cost.stats.runs)?;
    table.set("time_ns", cost.stats.time_ns)?;
    table.set("missed", cost.stats.missed)?;
    table.set("maps", cost.maps.clone())?;
    Ok(table)
}
