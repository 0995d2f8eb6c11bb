// SPDX-License-Identifier: Apache-2.0
//! Flame graphs and pages, made of data that Lua collected.

use mlua::Lua;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::lua::errors::Natives;
use crate::report::{Graph, Page, Stacks, render, svg};

/// `native.report`: `flamegraph(json)`, `page(json)`; both take JSON, which is exact where Lua's numbers are not, and give text.
pub fn table(lua: &Lua) -> mlua::Result<mlua::Table> {
    let natives = Natives::new(lua)?;
    natives.add("flamegraph", "flamegraph", |_, text: String| {
        let stacks: Stacks = read("cannot draw the flame graph", &text)?;
        let title = stacks.title.as_deref().unwrap_or("Flame graph");
        let unit = stacks.unit.as_deref().unwrap_or("samples");
        svg(&Graph { title, subtitle: None, unit, stacks: &stacks.stacks })
    })?;
    natives.add("page", "html", |_, text: String| {
        let page: Page = read("cannot write the page", &text)?;
        render(&Page { version: env!("CARGO_PKG_VERSION").to_owned(), ..page })
    })?;
    Ok(natives.into_table())
}

fn read<'a, T: Deserialize<'a>>(what: &str, text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::bug(what, error.to_string()))
}
