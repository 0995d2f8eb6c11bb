// SPDX-License-Identifier: Apache-2.0
//! The functions that Rust gives to Lua, as `require("bpflua.native")`. Only `scripts/lib/` calls them; what a script
//! sees is made of them there. Each file opens with its whole surface, the function `table`.

mod attach;
mod bytecode;
mod cfunctions;
mod complete;
mod create;
mod json;
mod kernel;
mod maps;
mod net;
mod object;
mod pack;
mod probes;
mod programs;
mod prompt;
mod report;
mod run;
mod shell;
mod symbol_names;
mod symbolize;
mod system;
mod terminal;
mod test_run;
mod tracing;
mod usdt;
mod user;

pub use create::check;

use mlua::{Lua, Table};

/// The table of all natives, one sub-table per file.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = lua.create_table()?;
    natives.set("attach", attach::table(lua)?)?;
    natives.set("bytecode", bytecode::table(lua)?)?;
    natives.set("user", user::table(lua)?)?;
    natives.set("cfunctions", cfunctions::table(lua)?)?;
    natives.set("complete", complete::table(lua)?)?;
    natives.set("create", create::table(lua)?)?;
    natives.set("json", json::table(lua)?)?;
    natives.set("kernel", kernel::table(lua)?)?;
    natives.set("maps", maps::table(lua)?)?;
    natives.set("net", net::table(lua)?)?;
    natives.set("object", object::table(lua)?)?;
    natives.set("pack", pack::table(lua)?)?;
    natives.set("probes", probes::table(lua)?)?;
    natives.set("programs", programs::table(lua)?)?;
    natives.set("prompt", prompt::table(lua)?)?;
    natives.set("report", report::table(lua)?)?;
    natives.set("run", run::table(lua)?)?;
    natives.set("shell", shell::table(lua)?)?;
    natives.set("usdt", usdt::table(lua)?)?;
    natives.set("tracing", tracing::table(lua)?)?;
    natives.set("symbolize", symbolize::table(lua)?)?;
    natives.set("system", system::table(lua)?)?;
    natives.set("terminal", terminal::table(lua)?)?;
    natives.set("test_run", test_run::table(lua)?)?;
    Ok(natives)
}
