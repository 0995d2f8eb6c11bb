// SPDX-License-Identifier: Apache-2.0
//! The instructions of a function, as bytes and as text.

use std::collections::HashMap;
use std::sync::LazyLock;

use mlua::{AnyUserData, Lua, Table};

use super::object::with;
use crate::lua::errors::{Natives, from_mlua};
use crate::packs::embedded;

/// Helpers' names by their numbers, from the header that declares them to C texts: `#define bpf_NAME ((TYPE)NUMBER)`.
static HELPERS: LazyLock<HashMap<u32, String>> = LazyLock::new(|| {
    let header = embedded::c_headers().find(|(path, _)| *path == "bpflua/helpers.h");
    let text = header.map(|(_, text)| text).unwrap_or_default();
    text.lines().filter_map(declared).collect()
});

fn declared(line: &str) -> Option<(u32, String)> {
    let (name, value) = line.strip_prefix("#define bpf_")?.split_once(' ')?;
    let number = value.strip_suffix(')')?.rsplit(')').next()?.parse().ok()?;
    Some((number, name.to_owned()))
}

/// `native.bytecode`: `bytes(object, name)`, `lines(object, name)`, `source(object, name)`, `log(object, name)`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("bytes", "dump_func", |lua, (object, name): (AnyUserData, String)| {
        let bytes = with(&object, |object| object.bytecode(&name))?;
        lua.create_string(&bytes).map_err(|error| from_mlua("dump_func", &error))
    })?;
    natives.add("lines", "disassemble_func", |_, (object, name): (AnyUserData, String)| {
        with(&object, |object| object.disassemble(&name, &|number| HELPERS.get(&number).cloned()))
    })?;
    natives.add("source", "debug", |lua, (object, name): (AnyUserData, String)| {
        let lines = with(&object, |object| object.source_lines(&name))?;
        let table = lua.create_table_from(
            lines.into_iter().map(|(insn, line)| (insn, format!("{}:{}: {}", line.file, line.line, line.text))),
        );
        table.map_err(|error| from_mlua("debug", &error))
    })?;
    natives.add("log", "debug", |_, (object, name): (AnyUserData, String)| {
        with(&object, |object| Ok(object.load(&name)?.verifier_log().to_owned()))
    })?;
    Ok(natives.into_table())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_have_their_names() {
        assert_eq!(HELPERS.get(&1).map(String::as_str), Some("map_lookup_elem"));
        assert_eq!(HELPERS.get(&113).map(String::as_str), Some("probe_read_kernel"));
        assert!(HELPERS.len() > 200, "{}", HELPERS.len());
    }
}
