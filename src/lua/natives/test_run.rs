// SPDX-License-Identifier: Apache-2.0
//! Running a program for a test: bytes in, bytes out. `scripts/lib/test_run.lua` has checked the options.

use mlua::{AnyUserData, BString, Lua, Table};

use super::object::{field, with};
use crate::bpf::{TestOutcome, TestRun};
use crate::error::Result;
use crate::lua::errors::{Natives, from_mlua};

/// `native.test_run`: `run(object, options)`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("run", "test_run", |lua, (object, options): (AnyUserData, Table)| {
        let (name, run) = (field::<String>(&options, "fn_name")?, request(&options)?);
        let outcome = with(&object, |object| object.load_to_run(&name)?.test_run(&run))?;
        outcome_table(lua, &outcome).map_err(|error| from_mlua("test_run", &error))
    })?;
    Ok(natives.into_table())
}

fn request(options: &Table) -> Result<TestRun> {
    let bytes = |name| Ok(field::<Option<BString>>(options, name)?.map_or_else(Vec::new, Into::into));
    Ok(TestRun {
        data_in: bytes("data_in")?,
        ctx_in: bytes("ctx_in")?,
        repeat: field::<Option<u32>>(options, "times")?.unwrap_or(0),
        cpu: field(options, "cpu")?,
        live_frames: field::<Option<bool>>(options, "live_frames")?.unwrap_or(false),
    })
}

fn outcome_table(lua: &Lua, outcome: &TestOutcome) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.set("retval", outcome.retval)?;
    table.set("data_out", lua.create_string(&outcome.data_out)?)?;
    table.set("ctx_out", lua.create_string(&outcome.ctx_out)?)?;
    table.set("duration", outcome.duration_ns)?;
    Ok(table)
}
