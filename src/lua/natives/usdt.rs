// SPDX-License-Identifier: Apache-2.0
//! USDT probes: what files and processes have, and attaching to it. `scripts/lib/usdt.lua` has checked the options.

use std::rc::Rc;

use mlua::{AnyUserData, Lua, Table, UserData};

use super::attach::{attached, detached};
use super::object::field;
use crate::bpf::{UsdtSource, UsdtTarget};
use crate::error::{Error, Result};
use crate::lua::errors::{Natives, from_mlua};
use crate::symbolize::usdt::{Argument, Location, Probes, UsdtFile, UsdtProbe};

/// The probes of a file or a process, held by Lua.
#[derive(Debug)]
struct ProbesValue(Rc<Probes>);

impl UserData for ProbesValue {}

/// `native.usdt`: `open`, `list`, `find`, `locations`, `argument_type`, `attach`, `detach`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("open", "USDT", |_, options: Table| {
        let source = UsdtSource { path: field(&options, "path")?, pid: field(&options, "pid")? };
        Ok(ProbesValue(Rc::new(source.probes()?)))
    })?;
    natives.add("list", "enumerate_probes", |lua, probes: AnyUserData| {
        let probes = borrow(&probes)?;
        let tables: mlua::Result<Vec<Table>> = probes.all().iter().map(|probe| summary(lua, &probes, probe)).collect();
        tables.map_err(|error| from_mlua("enumerate_probes", &error))
    })?;
    natives.add("find", "USDT", |lua, (probes, name, what): (AnyUserData, String, String)| {
        let probes = borrow(&probes)?;
        let probe = probes.find(None, &name, &what)?;
        summary(lua, &probes, probe).map_err(|error| from_mlua("USDT", &error))
    })?;
    natives.add("locations", "locations", |lua, (probes, name): (AnyUserData, String)| {
        let probes = borrow(&probes)?;
        let probe = probes.find(None, &name, "cannot list the locations of a USDT probe")?;
        let tables = probes.locations(probe).map(|(file, location)| location_table(lua, file, location));
        tables.collect::<mlua::Result<Vec<Table>>>().map_err(|error| from_mlua("locations", &error))
    })?;
    natives.add("argument_type", "get_probe_arg_ctype", argument_type)?;
    natives.add("attach", "attach_usdt", attach)?;
    natives.add("detach", "detach_usdt", |lua, (object, options): (AnyUserData, Table)| {
        let (target, function): (_, Option<String>) = (target(&options)?, field(&options, "fn_name")?);
        detached(lua, &object, |object| object.detach_usdt(&target, function.as_deref()))
    })?;
    Ok(natives.into_table())
}

fn borrow(probes: &AnyUserData) -> Result<Rc<Probes>> {
    let value = probes.borrow::<ProbesValue>().map_err(|error| from_mlua("cannot use the USDT probes", &error))?;
    Ok(Rc::clone(&value.0))
}

fn attach(lua: &Lua, (object, probes, options): (AnyUserData, AnyUserData, Table)) -> Result<u32> {
    let (target, function): (_, String) = (target(&options)?, field(&options, "fn_name")?);
    let probes = borrow(&probes)?;
    attached(lua, &object, |object| object.attach_usdt(&target, &probes, &function))
}

fn target(options: &Table) -> Result<UsdtTarget> {
    let cookie: Option<String> = field(options, "cookie")?;
    let cookie = match cookie.as_deref().map(str::parse) {
        None => 0,
        Some(Ok(cookie)) => cookie,
        Some(Err(_)) => return Err(Error::script("the option `cookie` is no number of 64 bits", "")),
    };
    Ok(UsdtTarget {
        provider: field(options, "provider")?,
        name: field(options, "probe")?,
        pid: field(options, "pid")?,
        cookie,
    })
}

/// The C type of an argument, counted from 0.
fn argument_type(_: &Lua, (probes, name, index): (AnyUserData, String, usize)) -> Result<String> {
    let what = format!("cannot tell the type of argument {index} of USDT probe `{name}`");
    let probes = borrow(&probes)?;
    let probe = probes.find(None, &name, &what)?;
    let count = probes.locations(probe).next().map_or(0, |(file, location)| file.arguments(location).len());
    probes.argument_type(probe, index).ok_or_else(|| {
        Error::script(what, format!("it has {count} arguments"))
            .with_note("here they are counted from 0, as bcc does it")
    })
}

fn summary(lua: &Lua, probes: &Probes, probe: &UsdtProbe) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("provider", probe.provider.as_str())?;
    table.set("name", probe.name.as_str())?;
    table.set("num_locations", probe.count())?;
    if let Some((file, location)) = probes.locations(probe).next() {
        let arguments = file.arguments(location);
        table.set("path", file.path.as_path())?;
        table.set("semaphore", location.semaphore)?;
        table.set("num_arguments", arguments.len())?;
        // The type that holds the argument at every location, the rest as it is at the first.
        let types = (0..arguments.len()).map(|index| probes.argument_type(probe, index)).collect::<Vec<_>>();
        let arguments = argument_tables(lua, &arguments)?;
        for (argument, ctype) in arguments.iter().zip(types) {
            argument.set("ctype", ctype)?;
        }
        table.set("arguments", arguments)?;
    }
    Ok(table)
}

fn location_table(lua: &Lua, file: &UsdtFile, location: &Location) -> mlua::Result<Table> {
    let arguments = file.arguments(location);
    let table = lua.create_table()?;
    table.set("path", file.path.as_path())?;
    table.set("address", location.address)?;
    table.set("offset", location.offset)?;
    table.set("semaphore", location.semaphore)?;
    table.set("num_arguments", arguments.len())?;
    table.set("arguments", argument_tables(lua, &arguments)?)?;
    Ok(table)
}

fn argument_tables(lua: &Lua, arguments: &[Argument]) -> mlua::Result<Vec<Table>> {
    let one = |argument: &Argument| {
        let table = lua.create_table()?;
        table.set("text", argument.text.as_str())?;
        table.set("size", argument.size)?;
        table.set("signed", argument.signed)?;
        table.set("ctype", argument.c_type())?;
        table.set("unreadable", argument.operand.as_ref().err().map(String::as_str))?;
        Ok(table)
    };
    arguments.iter().map(one).collect()
}
