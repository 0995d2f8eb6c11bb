// SPDX-License-Identifier: Apache-2.0
//! Programs and libraries of user space: where they are, which functions they have, probes on many of them.

use mlua::{AnyUserData, Lua, Table};

use super::attach::uprobe_target;
use super::object::{field, with};
use crate::bpf::{UprobePlace, find_user_file, user_functions};
use crate::lua::errors::{Natives, from_mlua};

/// `native.user`: `find(name, pid)`, `functions(name, re, pid)`, `attach_matching(object, options)`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("find", "find_library", |_, (name, pid): (String, Option<i32>)| {
        // What is not there is an answer, and not an error.
        Ok(find_user_file(&name, pid).ok().map(|path| path.to_string_lossy().into_owned()))
    })?;
    natives.add("functions", "get_user_functions", |lua, (name, regex, pid): (String, String, Option<i32>)| {
        let functions = user_functions(&name, pid, &regex)?;
        let pairs = functions.into_iter().map(|function| vec![function.name, function.address.to_string()]);
        lua.create_sequence_from(pairs).map_err(|error| from_mlua("get_user_functions", &error))
    })?;
    natives.add("attach_matching", "attach_uprobe", |_, (object, options): (AnyUserData, Table)| {
        // The place is each function's that matches.
        let target = uprobe_target(&options, Some(UprobePlace::Address(0)))?;
        let (regex, function): (String, String) = (field(&options, "sym_re")?, field(&options, "fn_name")?);
        with(&object, |object| object.attach_uprobes(&target, &regex, &function)).map(|probes| probes.len())
    })?;
    Ok(natives.into_table())
}
