// SPDX-License-Identifier: Apache-2.0
//! Programs on devices, sockets, control groups and maps. `scripts/lib/programs.lua` has checked the options.

use mlua::{AnyUserData, Lua, LuaString, Table};

use super::attach::{attached, detached};
use super::object::{field, with};
use super::programs::{attach_type, prog_type};
use crate::bpf::{FuncTarget, Place, ProbeId, remove_xdp};
use crate::error::{Error, Result};
use crate::lua::errors::{Natives, from_mlua};

/// `native.net`: `attach_raw_socket(object, function, device)`, `receive(object, probe, max_bytes)`,
/// `attach_xdp(object, options)`, `remove_xdp(object, device, flags)`, `remove_xdp_of_others(device, flags)`,
/// `attach_func(object, options)`, `detach_func(object, options)`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    sockets(&natives)?;
    natives.add("attach_xdp", "attach_xdp", |lua, (object, options): (AnyUserData, Table)| {
        let (device, function): (String, String) = (field(&options, "dev")?, field(&options, "fn_name")?);
        let flags: u32 = field(&options, "flags")?;
        attached(lua, &object, |object| object.attach_xdp(&device, &function, flags))
    })?;
    natives.add("remove_xdp", "remove_xdp", |lua, (object, device, flags): (AnyUserData, String, u32)| {
        detached(lua, &object, |object| object.remove_xdp(&device, flags))
    })?;
    natives
        .add("remove_xdp_of_others", "remove_xdp", |_, (device, flags): (String, u32)| remove_xdp(&device, flags))?;
    natives.add("attach_func", "attach_func", |lua, (object, options): (AnyUserData, Table)| {
        let (target, function) = (func_target(&options)?, field::<String>(&options, "fn_name")?);
        attached(lua, &object, |object| object.attach_func(&target, &function))
    })?;
    natives.add("detach_func", "detach_func", |lua, (object, options): (AnyUserData, Table)| {
        let (target, function) = (func_target(&options)?, field::<Option<String>>(&options, "fn_name")?);
        detached(lua, &object, |object| object.detach_func(&target, function.as_deref()))
    })?;
    Ok(natives.into_table())
}

fn sockets(natives: &Natives<'_>) -> mlua::Result<()> {
    natives.add(
        "attach_raw_socket",
        "attach_raw_socket",
        |lua, (object, function, device): (AnyUserData, String, String)| {
            let mut socket = -1;
            let probe = attached(lua, &object, |object| {
                let (probe, number) = object.attach_raw_socket(&device, &function)?;
                socket = number;
                Ok(probe)
            })?;
            Ok((probe, socket))
        },
    )?;
    natives.add("receive", "recv", |lua, (object, probe, max_bytes): (AnyUserData, u32, Option<usize>)| {
        let packet = with(&object, |object| object.receive_packet(ProbeId(probe), max_bytes.unwrap_or(usize::MAX)))?;
        let text: mlua::Result<Option<LuaString>> = packet.map(|bytes| lua.create_string(bytes)).transpose();
        text.map_err(|error| from_mlua("recv", &error))
    })
}

/// `{fd | path | map, attach_type, prog_type?, flags?}`
fn func_target(options: &Table) -> Result<FuncTarget> {
    let text = |name| field::<Option<String>>(options, name);
    let place = match (field::<Option<i32>>(options, "fd")?, text("path")?, text("map")?) {
        (Some(fd), _, _) => Place::Fd(fd),
        (_, Some(path), _) => Place::Path(path),
        (_, _, Some(map)) => Place::Map(map),
        _ => return Err(Error::script("cannot attach a function", "it is not said to what")),
    };
    let attach = attach_type(options)?.ok_or_else(|| {
        let error = Error::script("cannot attach a function", "it is not said how: the attach type is missing");
        error.with_hint("give one of `BPF.BPFAttachType`")
    })?;
    let flags = field::<Option<u32>>(options, "flags")?.unwrap_or(0);
    Ok(FuncTarget { place, attach, prog: prog_type(options)?, flags })
}
