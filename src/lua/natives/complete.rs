// SPDX-License-Identifier: Apache-2.0
//! Completion for the prompt: what is known of the kernel, of files, and to the compiler.

use std::sync::{Mutex, PoisonError};

use mlua::{Lua, Table};

use crate::error::Result;
use crate::fuzzy;
use crate::lua::compile::{CPlace, CWords, complete_c};
use crate::lua::errors::{Natives, from_mlua};
use crate::lua::host::{Host, Settings};
use crate::probes::{
    Completion, Spec, complete_probe, complete_value, expand, functions, is_reading, list, members_of_type, prepare,
    read_ahead, signature, tracepoints,
};

mod files;

/// `native.complete`, each with a limit last: `best(typed, names)`, `functions(typed)`, `tracepoints(typed)` and
/// `programs(typed)` give lists of `{text, note}`; `probe(typed, pid)`, `value(probe, typed, pid)`, `files(typed)` and
/// `c(before, after)` also the byte of the typed text, from 0, that they begin at. `members(c_type)`, `signature(function)`;
/// `prepare()` reads ahead what the kernel has, `read_ahead(file, pid)` a file that is being named; while `is_reading()`, a file
/// that was asked for has not told its names yet.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("best", "complete", |_, (typed, names, limit): (String, Vec<String>, usize)| {
        let best = fuzzy::best(&typed, names.iter().map(String::as_str), limit);
        Ok(best.into_iter().map(str::to_owned).collect::<Vec<_>>())
    })?;
    natives
        .add("functions", "complete", |lua, (typed, limit): (String, usize)| tables(lua, functions(&typed, limit)))?;
    natives.add("tracepoints", "complete", |lua, (typed, limit): (String, usize)| {
        tables(lua, tracepoints(&typed, limit))
    })?;
    natives.add("probe", "complete", |lua, (typed, pid, limit): (String, Option<i32>, usize)| {
        let (start, found) = complete_probe(&typed, pid, limit);
        Ok((start, tables(lua, found)?))
    })?;
    natives.add("value", "complete", |lua, (probe, typed, pid, limit): (String, String, Option<i32>, usize)| {
        let (start, found) = value_of(&probe, &typed, pid, limit)?;
        Ok((start, tables(lua, found)?))
    })?;
    natives.add("members", "help", |lua, c_type: String| {
        let members = members_of_type(&c_type).into_iter();
        tables(lua, members.map(|(text, note)| Completion { text, note }).collect())
    })?;
    natives.add("signature", "help", |_, name: String| Ok(signature(&name)))?;
    natives.add("prepare", "complete", |_, ()| {
        prepare();
        Ok(())
    })?;
    natives.add("read_ahead", "complete", |_, (file, pid): (String, Option<i32>)| {
        read_ahead(&file, pid);
        Ok(())
    })?;
    natives.add("is_reading", "complete", |_, ()| Ok(is_reading()))?;
    add_files(&natives)?;
    Ok(natives.into_table())
}

fn add_files(natives: &Natives<'_>) -> mlua::Result<()> {
    natives.add("files", "complete", |lua, (typed, limit): (String, usize)| {
        let (start, found) = files::files(&typed, limit);
        Ok((start, tables(lua, found)?))
    })?;
    natives.add("programs", "complete", |lua, (typed, limit): (String, usize)| {
        tables(lua, files::programs(&typed, limit))
    })?;
    natives.add("c", "complete", |lua, (before, after, limit): (String, String, usize)| {
        let settings = Host::of(lua)?.settings.clone();
        let place = CPlace::new(&before, &after);
        let (base, mut words) = known_words(&place, &settings)?;
        if let Some(base) = base {
            let named: Vec<String> = words.iter().map(|(text, _)| text.clone()).collect();
            let members = members_of_type(&base).into_iter().filter(|(name, _)| !named.contains(name));
            words.extend(members);
        } else if place.word.is_empty() {
            words.clear();
        }
        let is_ours = |name: &str| name.contains("__bpflua") || name.contains("__BPFLUA");
        words.retain(|(text, _)| !is_ours(text));
        let found = fuzzy::best(&place.word, words.iter().map(|(text, _)| text.as_str()), limit);
        let note = |name: &str| {
            let note = words.iter().find(|(text, _)| text == name).map_or("", |(_, note)| note.as_str());
            if is_ours(note) || note == name { String::new() } else { note.to_owned() }
        };
        let found: Vec<Completion> =
            found.into_iter().map(|text| Completion { text: text.to_owned(), note: note(text) }).collect();
        Ok((before.len() - place.word.len(), tables(lua, found)?))
    })
}

/// What the compiler says of a place. The last answer is kept: a second look, or a letter more, costs nothing, also when the
/// first one came too late.
fn known_words(place: &CPlace, settings: &Settings) -> Result<CWords> {
    static LAST: Mutex<Option<(CPlace, CWords)>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = place.without_word();
    if let Some((_, words)) = last.as_ref().filter(|(place, _)| *place == asked) {
        return Ok(words.clone());
    }
    let words = complete_c(place, settings)?;
    *last = Some((asked, words.clone()));
    Ok(words)
}

fn tables(lua: &Lua, found: Vec<Completion>) -> Result<Vec<Table>> {
    let table = |one: Completion| {
        let table = lua.create_table()?;
        table.set("text", one.text)?;
        table.set("note", one.note)?;
        Ok(table)
    };
    found.into_iter().map(table).collect::<mlua::Result<_>>().map_err(|error| from_mlua("complete", &error))
}

/// Names of a probe's values; of a pattern, those of its first probe.
fn value_of(probe: &str, typed: &str, pid: Option<i32>, limit: usize) -> Result<(usize, Vec<Completion>)> {
    // A pattern is listed, which is quicker than telling what of it can be traced.
    let target = match probe.contains(['*', '?', '[']) {
        true => list(probe, pid)?.into_iter().next().map(|listed| listed.target),
        false => expand(&Spec::parse(probe, "complete")?, pid, "complete")?.into_iter().next(),
    };
    target.map_or_else(|| Ok((0, Vec::new())), |target| complete_value(&target, typed, pid, limit))
}
