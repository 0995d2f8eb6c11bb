// SPDX-License-Identifier: Apache-2.0
//! Programs on devices, sockets, control groups and maps. `scripts/lib/programs.lua` has checked the options.

use mlua::{AnyUserData, Lua, LuaString, Table};

use super::attach::{attached, detached};
use super::object::{field, with};
use super::programs::{attach_type, prog_type};
use crate::bpf::{AttachType, FuncTarget, Mechanism, NetfilterTarget, Place, ProbeId, ProbeKind, TcTarget, remove_xdp};
use crate::error::{Error, Result};
use crate::lua::errors::{Natives, from_mlua};

/// `native.net`: `attach_raw_socket(object, function, device)`, `receive(object, probe, max_bytes)`,
/// `attach_xdp(object, options)`, `remove_xdp(object, device, flags)`, `remove_xdp_of_others(device, flags)`,
/// `attach_func`, `attach_tc`, `attach_netfilter` and their `detach_…(object, options)`,
/// `attachment_of(object, function, kind)`, `attach_type(name)`.
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
    traffic(&natives)?;
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

fn traffic(natives: &Natives<'_>) -> mlua::Result<()> {
    natives.add("attach_tc", "attach_tc", |lua, (object, options): (AnyUserData, Table)| {
        let (target, function) = (tc_target(&options)?, field::<String>(&options, "fn_name")?);
        attached(lua, &object, |object| object.attach_tc(&target, &function))
    })?;
    natives.add("detach_tc", "detach_tc", |lua, (object, options): (AnyUserData, Table)| {
        let (target, function) = (tc_target(&options)?, field::<Option<String>>(&options, "fn_name")?);
        detached(lua, &object, |object| object.detach_tc(&target, function.as_deref()))
    })?;
    natives.add("attach_netfilter", "attach_netfilter", |lua, (object, options): (AnyUserData, Table)| {
        let (target, function) = (netfilter_target(&options)?, field::<String>(&options, "fn_name")?);
        attached(lua, &object, |object| object.attach_netfilter(&target, &function))
    })?;
    natives.add("detach_netfilter", "detach_netfilter", |lua, (object, options): (AnyUserData, Table)| {
        let (target, function) = (netfilter_target(&options)?, field::<Option<String>>(&options, "fn_name")?);
        detached(lua, &object, |object| object.detach_netfilter(&target, function.as_deref()))
    })?;
    natives.add("attachment_of", "attach", |_, (object, function, kind): (AnyUserData, String, String)| {
        let kind = match kind.as_str() {
            "cgroup" => ProbeKind::Cgroup,
            "sockmap" => ProbeKind::Sockmap,
            _ => ProbeKind::Netns,
        };
        with(&object, |object| object.attachment_of(&function, kind).map(|attach| attach.0))
    })?;
    natives.add("attach_type", "attach", |_, name: String| AttachType::parse_short(&name).map(|attach| attach.0))
}

/// `{dev, egress, priority?, handle?, mechanism?}`
fn tc_target(options: &Table) -> Result<TcTarget> {
    let number = |name| field::<Option<u32>>(options, name).map(Option::unwrap_or_default);
    let mechanism = match field::<Option<String>>(options, "mechanism")?.as_deref() {
        None | Some("auto") => Mechanism::Auto,
        Some("tcx") => Mechanism::Tcx,
        Some("clsact") => Mechanism::Clsact,
        Some(other) => {
            let error = Error::script(format!("no mechanism `{other}`"), "unknown name");
            return Err(error.with_hint("traffic control attaches by: auto, tcx, clsact"));
        }
    };
    let (device, egress) = (field(options, "dev")?, field(options, "egress")?);
    Ok(TcTarget { device, egress, priority: number("priority")?, handle: number("handle")?, mechanism })
}

/// `{family, hook, priority?, defragment?}`
fn netfilter_target(options: &Table) -> Result<NetfilterTarget> {
    let (family, hook): (String, String) = (field(options, "family")?, field(options, "hook")?);
    let mut target = NetfilterTarget::new(&family, &hook)?;
    target.priority = field::<Option<i32>>(options, "priority")?.unwrap_or(0);
    target.defragment = field::<Option<bool>>(options, "defragment")?.unwrap_or(false);
    Ok(target)
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
