// SPDX-License-Identifier: Apache-2.0
//! The prompt for Lua: reading lines, sharing the terminal, and the reports of what a statement raised.

use std::rc::Rc;

use mlua::{Lua, MultiValue, Table, Value};

use crate::error::{Error, Result};
use crate::events::stop;
use crate::lua::errors::{Natives, from_mlua};
use crate::lua::host::Host;
use crate::lua::prompt::{Ask, Candidate, Input, Prompt, Screen};
use crate::lua::script::Script;
use crate::lua::{failure, interrupt};

/// `native.prompt`: `open`, `close`, `ask`, `take`, `answer`, `postpone`, `screen`, `say`, `size`, `busy`; `define`, `report`,
/// `syntax_error`; `keep_signals`, `rearm`, `stop_signal`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    terminal(&natives)?;
    reading(&natives)?;
    reports(&natives)?;
    signals(&natives)?;
    Ok(natives.into_table())
}

fn prompt(lua: &Lua) -> Result<Rc<dyn Prompt>> {
    let host = Host::of(lua)?;
    host.settings.prompt.clone().ok_or_else(|| Error::script("cannot start the prompt", "this command has none"))
}

fn terminal(natives: &Natives<'_>) -> mlua::Result<()> {
    natives.add("open", "repl", |lua, ()| prompt(lua)?.open())?;
    natives.add("close", "repl", |lua, ()| {
        prompt(lua)?.close();
        Ok(())
    })?;
    natives.add("screen", "repl", |lua, who: String| {
        prompt(lua)?.set_screen(match who.as_str() {
            "events" => Screen::Events,
            "keys" => Screen::Keys,
            "taken" => Screen::Taken,
            _ => Screen::Statement,
        });
        Ok(())
    })?;
    natives.add("say", "repl", |lua, text: mlua::LuaString| {
        prompt(lua)?.say(&text.to_string_lossy());
        Ok(())
    })?;
    natives.add("size", "repl", |lua, ()| Ok(prompt(lua)?.size()))?;
    natives.add("busy", "repl", |lua, is_busy: bool| {
        prompt(lua)?.set_busy(is_busy);
        Ok(())
    })
}

fn reading(natives: &Natives<'_>) -> mlua::Result<()> {
    natives.add("ask", "repl", |lua, (prompt_text, initial, is_statement): (String, String, bool)| {
        prompt(lua)?.ask(Ask { prompt: prompt_text, initial, is_statement });
        Ok(())
    })?;
    natives.add("take", "repl", |lua, ()| {
        let taken: (Option<&str>, Option<String>, Option<usize>) = match prompt(lua)?.take() {
            Some(Input::Line(text)) => (Some("line"), Some(text), None),
            Some(Input::End) => (Some("end"), None, None),
            Some(Input::Complete { line, cursor }) => (Some("complete"), Some(line), Some(cursor)),
            None => (None, None, None),
        };
        Ok(taken)
    })?;
    natives.add("postpone", "repl", |lua, ()| {
        prompt(lua)?.postpone();
        Ok(())
    })?;
    natives.add("answer", "repl", |lua, (start, list): (usize, Vec<Table>)| {
        let candidate = |one: &Table| -> mlua::Result<Candidate> {
            let note = one.get::<Option<mlua::LuaString>>("note")?;
            let note = note.map(|note| note.to_string_lossy()).unwrap_or_default();
            Ok(Candidate { text: one.get::<mlua::LuaString>("text")?.to_string_lossy(), note })
        };
        let candidates = list.iter().map(candidate).collect::<mlua::Result<_>>();
        prompt(lua)?.answer(start, candidates.map_err(|error| from_mlua("complete", &error))?);
        Ok(())
    })
}

fn reports(natives: &Natives<'_>) -> mlua::Result<()> {
    natives.add("define", "repl", |lua, (name, text): (String, mlua::BString)| {
        let host = lua.app_data_mut::<Host>();
        let mut host = host.ok_or_else(|| Error::bug("cannot note a statement", "no state is set"))?;
        host.statements.insert(name.clone(), Script { name, text: text.into(), path: None });
        Ok(())
    })?;
    natives.add("report", "repl", |lua, (raised, frames): (Value, Option<Value>)| {
        let error = failure::from_run(lua, &raised, frames.as_ref());
        Ok(failure::point_at_name(error).report())
    })?;
    natives.add("syntax_error", "repl", |_, (name, text, message): (String, mlua::BString, String)| {
        let script = Script { name, text: text.into(), path: None };
        let error = failure::from_syntax(&script, &mlua::Error::SyntaxError { message, incomplete_input: false });
        Ok(failure::point_at_name(error).report())
    })
}

fn signals(natives: &Natives<'_>) -> mlua::Result<()> {
    natives.add("keep_signals", "repl", |_, keep: bool| {
        stop::keep(keep);
        Ok(())
    })?;
    natives.add("rearm", "repl", |lua, ()| {
        interrupt::disarm(lua)?;
        stop::rearm().map_err(|error| Error::io("cannot take Ctrl-C", &error))
    })?;
    natives.add("stop_signal", "repl", |_, _: MultiValue| Ok(stop::signal()))
}
