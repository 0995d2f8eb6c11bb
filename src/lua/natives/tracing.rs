// SPDX-License-Identifier: Apache-2.0
//! Attaching by BTF, in place of other programs' functions and by structs of functions; iterators.
//! `scripts/lib/attach_tracing.lua` and `scripts/lib/attach_functions.lua` have checked the options.

use std::fs::File;
use std::io::{ErrorKind, Read as _};

use mlua::{AnyUserData, Lua, LuaString, Table, UserData};

use super::attach::{attached, cookie, detached};
use super::object::{field, with};
use crate::bpf::{FreplaceTarget, IterTarget, ProbeKind, ReplacedIn};
use crate::error::{Error, Result};
use crate::lua::errors::{Natives, from_mlua};

/// Bytes of one read at most; the kernel gives less, mostly.
const CHUNK_BYTES: usize = 64 << 10;

/// A run of an iterator.
struct IterRun(File);

impl UserData for IterRun {}

/// `native.tracing`: `attach(object, {kind, fn_name, event?, cookie?})`, `detach(object, {kind, fn_name})`,
/// `attach_freplace(object, {fn_name, target|fd, func?})`, `attach_struct_ops(object, name)`,
/// `detach_struct_ops(object, name)`, `attach_iter(object, options)`, `detach_iter(object, function)`, `open_iter(object, function)`, which gives a run, and
/// `read_iter(run)`, which gives its next bytes and nothing at its end.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("attach", "attach", |lua, (object, options): (AnyUserData, Table)| {
        let (kind, function) = (kind(&options)?, field::<String>(&options, "fn_name")?);
        let target: Option<String> = field(&options, "event")?;
        let cookie = cookie(&options)?;
        attached(lua, &object, |object| object.attach_kind(kind, target.as_deref(), &function, cookie))
    })?;
    natives.add("detach", "detach", |lua, (object, options): (AnyUserData, Table)| {
        let (kind, function) = (kind(&options)?, field::<String>(&options, "fn_name")?);
        detached(lua, &object, |object| object.detach_kind(kind, &function))
    })?;
    natives.add("attach_freplace", "attach_freplace", |lua, (object, options): (AnyUserData, Table)| {
        let (target, function) = (freplace_target(&options)?, field::<String>(&options, "fn_name")?);
        attached(lua, &object, |object| object.attach_freplace(&target, &function))
    })?;
    natives.add("attach_struct_ops", "attach_struct_ops", |lua, (object, name): (AnyUserData, String)| {
        attached(lua, &object, |object| object.attach_struct_ops(&name))
    })?;
    natives.add("detach_struct_ops", "detach_struct_ops", |lua, (object, name): (AnyUserData, String)| {
        detached(lua, &object, |object| object.detach_struct_ops(&name))
    })?;
    natives.add("attach_iter", "attach_iter", |lua, (object, options): (AnyUserData, Table)| {
        let (target, function) = (iter_target(&options)?, field::<String>(&options, "fn_name")?);
        attached(lua, &object, |object| object.attach_iter(&target, &function))
    })?;
    natives.add("detach_iter", "detach_iter", |lua, (object, function): (AnyUserData, String)| {
        detached(lua, &object, |object| object.detach_iter(&function))
    })?;
    natives.add("open_iter", "iter", |lua, (object, function): (AnyUserData, String)| {
        let file = with(&object, |object| object.open_iter(&function))?;
        lua.create_userdata(IterRun(file)).map_err(|error| from_mlua("iter", &error))
    })?;
    natives.add("read_iter", "iter", |lua, run: AnyUserData| {
        let mut run = run.borrow_mut::<IterRun>().map_err(|error| from_mlua("iter", &error))?;
        read(lua, &mut run.0)
    })?;
    Ok(natives.into_table())
}

fn kind(options: &Table) -> Result<ProbeKind> {
    Ok(match field::<String>(options, "kind")?.as_str() {
        "fentry" => ProbeKind::Fentry,
        "fexit" => ProbeKind::Fexit,
        "fmod_ret" => ProbeKind::FmodRet,
        "freplace" => ProbeKind::Freplace,
        _ => ProbeKind::Lsm,
    })
}

fn freplace_target(options: &Table) -> Result<FreplaceTarget> {
    let program = match field::<Option<i32>>(options, "fd")? {
        Some(fd) => ReplacedIn::Fd(fd),
        None => ReplacedIn::Own(field(options, "target")?),
    };
    Ok(FreplaceTarget { program, function: field(options, "func")? })
}

fn iter_target(options: &Table) -> Result<IterTarget> {
    Ok(IterTarget {
        map: field(options, "map")?,
        pid: field(options, "pid")?,
        tid: field(options, "tid")?,
        cgroup: field(options, "cgroup")?,
        order: field(options, "order")?,
    })
}

fn read(lua: &Lua, file: &mut File) -> Result<Option<LuaString>> {
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(length) => {
                let text = lua.create_string(&buffer[..length]);
                return text.map(Some).map_err(|error| from_mlua("iter", &error));
            }
            // The kernel stops now and then, so that a walk over much does not hold it up.
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(err) => return Err(failed(&err)),
        }
    }
}

fn failed(err: &std::io::Error) -> Error {
    let what = "cannot read the iterator's output";
    match err.raw_os_error() {
        Some(errno @ libc::E2BIG) => {
            let error = Error::script(what, "it writes more for one object than fits a buffer of the kernel");
            error.with_errno(errno)
        }
        _ => Error::io(what, err),
    }
}
