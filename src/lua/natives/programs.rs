// SPDX-License-Identifier: Apache-2.0
//! Programs that are loaded without being attached, and the names of their types.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd};

use mlua::{AnyUserData, Lua, Table, Value};

use super::object::{field, with};
use crate::bpf::{AttachType, LoadAs, ProgType, Typed};
use crate::error::Result;
use crate::kernel::devices;
use crate::lua::errors::Natives;

/// `native.programs`: `load(object, name, {prog_type?, attach_type?, device?})`, which gives a descriptor; `prog_types()`
/// and `attach_types()`, names to numbers.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("load", "load_func", |_, (object, name, options): (AnyUserData, String, Table)| {
        let load_as = load_as(&options, &name)?;
        with(&object, |object| Ok(object.load_as(&name, &load_as)?.as_fd().as_raw_fd()))
    })?;
    natives.add("prog_types", "BPFProgType", |_, ()| {
        let names = ProgType::all().map(|known| (known.name().to_ascii_uppercase(), known.0));
        Ok(names.collect::<HashMap<String, u32>>())
    })?;
    natives.add("attach_types", "BPFAttachType", |_, ()| {
        let names = AttachType::all().map(|known| (known.name().to_ascii_uppercase(), known.0));
        Ok(names.collect::<HashMap<String, u32>>())
    })?;
    Ok(natives.into_table())
}

/// How a function is loaded by `{prog_type?, attach_type?, device?}`.
fn load_as(options: &Table, function: &str) -> Result<LoadAs> {
    let attach = attach_type(options)?;
    let Some(prog) = prog_type(options)? else {
        return match attach.and_then(AttachType::program) {
            Some(prog) => Ok(LoadAs::Typed(Typed { prog, attach, device: 0 })),
            None => Ok(LoadAs::Section),
        };
    };
    let device = match field::<Option<String>>(options, "device")? {
        Some(device) => devices::index(&device, &format!("cannot load `{function}` for `{device}`"))?,
        None => 0,
    };
    Ok(LoadAs::Typed(Typed { prog, attach, device }))
}

/// The option `prog_type`: a number or a name.
pub fn prog_type(options: &Table) -> Result<Option<ProgType>> {
    match field::<Value>(options, "prog_type")? {
        Value::Nil | Value::Boolean(false) => Ok(None),
        Value::String(name) => ProgType::parse(&name.to_string_lossy()).map(Some),
        _ => field(options, "prog_type").map(|number| Some(ProgType(number))),
    }
}

/// The option `attach_type`: a number or a name.
pub fn attach_type(options: &Table) -> Result<Option<AttachType>> {
    match field::<Value>(options, "attach_type")? {
        Value::Nil | Value::Boolean(false) => Ok(None),
        Value::String(name) => AttachType::parse(&name.to_string_lossy()).map(Some),
        _ => field(options, "attach_type").map(|number| Some(AttachType(number))),
    }
}
