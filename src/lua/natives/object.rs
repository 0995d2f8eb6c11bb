// SPDX-License-Identifier: Apache-2.0
//! BPF objects: from a C text or an object file to maps and functions.

use mlua::{AnyUserData, FromLua, IntoLua, Lua, Table, UserData, Value};
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

use crate::bpf::{Map, Object, ObjectOptions};
use crate::error::{Error, Result};
use crate::kernel::btf::{Btf, TypeId};
use crate::lua::Settings;
use crate::lua::compile::{self, Compiled, Request};
use crate::lua::ctype::describe;
use crate::lua::errors::{Natives, from_mlua};
use crate::lua::host::{Host, Task};

/// An object held by Lua; empty once it was closed.
#[derive(Debug)]
pub struct ObjectValue(Option<Object>);

impl UserData for ObjectValue {}

/// `native.object`: `compile(request)`, `checked()`, `open(path)`, `functions`, `auto_functions`, `maps`, `load`, `close`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("compile", "BPF", |lua, arguments: Table| compile_text(lua, &arguments))?;
    natives.add("checked", "checked", |lua, ()| Ok(Host::of(lua)?.checked.len()))?;
    natives.add("open", "BPF", |lua, path: String| open_file(lua, &path))?;
    natives.add("functions", "functions", |_, object: AnyUserData| {
        with(&object, |object| Ok(object.functions().iter().map(|f| f.name.clone()).collect::<Vec<_>>()))
    })?;
    natives.add("auto_functions", "auto_functions", |_, object: AnyUserData| {
        with(&object, |object| Ok(object.auto_functions()))
    })?;
    natives.add("maps", "maps", |lua, object: AnyUserData| with(&object, |object| maps(lua, object)))?;
    natives.add("load", "load_func", |_, (object, name): (AnyUserData, String)| {
        with(&object, |object| Ok(object.load(&name)?.as_fd().as_raw_fd()))
    })?;
    natives.add("close", "close", |lua, object: AnyUserData| {
        let Some(mut closed) = borrow(&object)?.0.take() else { return Ok(()) };
        closed.detach_all();
        super::attach::tell_missed(lua, &closed.take_missed())
    })?;
    Ok(natives.into_table())
}

fn borrow(object: &AnyUserData) -> Result<mlua::UserDataRefMut<ObjectValue>> {
    object.borrow_mut::<ObjectValue>().map_err(|error| from_mlua("cannot use the BPF object", &error))
}

/// Runs `body` with the object that Lua holds; an error when it was closed.
pub fn with<R>(object: &AnyUserData, body: impl FnOnce(&mut Object) -> Result<R>) -> Result<R> {
    match &mut borrow(object)?.0 {
        Some(object) => body(object),
        None => Err(Error::script("cannot use the BPF object", "it was closed")),
    }
}

/// Reads a field of a table of arguments.
pub fn field<T: FromLua>(table: &Table, name: &str) -> Result<T> {
    table.get(name).map_err(|error| from_mlua(name, &error))
}

/// Compiles `{text, source?, file?, cflags?}`. `source` is the chunk name of the script that the text may be a literal
/// of; `file` is the C file it was read from. Gives nil when the script is only being checked.
fn compile_text(lua: &Lua, arguments: &Table) -> Result<Option<ObjectValue>> {
    let host = Host::of(lua)?;
    let request = request(&host, arguments)?;
    if let Task::Check { load } = host.settings.task {
        let outcome = check(&request, &host.settings, load).err();
        drop(host);
        return Host::record_check(lua, outcome).map(|()| None);
    }
    let compiled = compile_timed(&request, &host.settings)?;
    create(&host.settings, compiled.object, object_name(&request.name)).map(|object| Some(ObjectValue(Some(object))))
}

/// Compiles; shows the compiler's warnings, and where the object came from when the user wants to know.
fn compile_timed(request: &Request, settings: &Settings) -> Result<Compiled> {
    let start = Instant::now();
    let compiled = compile::compile(request, settings)?;
    compiled.warnings.iter().for_each(|warning| (settings.notice)(warning.trim_end()));
    let origin = if compiled.from_cache { "taken from the cache" } else { "compiled" };
    settings.tell(1, || format!("C text of `{}` {origin}, {} bytes", request.name, compiled.object.len()));
    settings.tell(2, || format!("that took {:.1} ms", start.elapsed().as_secs_f64() * 1e3));
    Ok(compiled)
}

/// Compiles a C text, and with `load` passes its programs through the kernel's verifier.
pub fn check(request: &Request, settings: &Settings, load: bool) -> Result<()> {
    let compiled = compile_timed(request, settings)?;
    if !load {
        return Ok(());
    }
    let mut object = create(settings, compiled.object, object_name(&request.name))?;
    let names: Vec<String> = object.functions().iter().map(|function| function.name.clone()).collect();
    names.iter().try_for_each(|name| object.load(name).map(drop))
}

fn request(host: &Host, arguments: &Table) -> Result<Request> {
    let text: String = field(arguments, "text")?;
    let cflags = field::<Option<Vec<String>>>(arguments, "cflags")?.unwrap_or_default();
    if let Some(file) = field::<Option<String>>(arguments, "file")? {
        let folder = Path::new(&file).parent().map(Path::to_owned);
        return Ok(Request { name: file, text, line: 1, column: 1, cflags, folder });
    }
    let source: Option<String> = field(arguments, "source")?;
    let (name, script, folder) = script_of(host, source.as_deref());
    let place = script.and_then(|script| compile::locate(&script, &text));
    Ok(match place {
        Some((line, column)) => Request { name, text, line, column, cflags, folder },
        None => Request { name: format!("C text of {name}"), text, line: 1, column: 1, cflags, folder },
    })
}

/// The script that called `BPF{…}`: its name, its text if it can be had, its folder.
fn script_of(host: &Host, source: Option<&str>) -> (String, Option<String>, Option<PathBuf>) {
    let main = &host.script;
    let called_from = source.and_then(|source| source.strip_prefix('@'));
    match called_from.filter(|file| *file != main.name) {
        Some(file) => {
            let folder = Path::new(file).parent().map(Path::to_owned);
            (file.to_owned(), std::fs::read_to_string(file).ok(), folder)
        }
        None => {
            let folder = main.path.as_deref().and_then(Path::parent).map(Path::to_owned);
            (main.name.clone(), String::from_utf8(main.text.clone()).ok(), folder)
        }
    }
}

/// Opens an object that was compiled before.
fn open_file(lua: &Lua, path: &str) -> Result<ObjectValue> {
    let host = Host::of(lua)?;
    let bytes = std::fs::read(path).map_err(|error| {
        let errno = error.raw_os_error().unwrap_or_default();
        Error::script(format!("cannot read object `{path}`"), crate::error::errno_words(errno)).with_errno(errno)
    })?;
    create(&host.settings, bytes, object_name(path)).map(|object| ObjectValue(Some(object)))
}

/// What the kernel's tools show of the object: the file's name without its folder and ending.
fn object_name(file: &str) -> String {
    Path::new(file).file_stem().map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn create(settings: &Settings, elf: Vec<u8>, name: String) -> Result<Object> {
    let options = ObjectOptions {
        name,
        btf_path: settings.btf.clone(),
        verifier_log_level: if settings.verifier_log { 2 } else { 0 },
        mechanism: settings.mechanism,
    };
    let start = Instant::now();
    let object = Object::create(elf, options)?;
    settings
        .tell(2, || format!("maps of `{}` created in {:.1} ms", object.name(), start.elapsed().as_secs_f64() * 1e3));
    Ok(object)
}

/// The maps as Lua tables, their types described.
fn maps(lua: &Lua, object: &Object) -> Result<Table> {
    let tables = object.maps().iter().map(|map| map_table(lua, object, map));
    let tables = tables.collect::<Result<Vec<Table>>>()?;
    lua.create_sequence_from(tables).map_err(|error| from_mlua("maps", &error))
}

fn map_table(lua: &Lua, object: &Object, map: &Rc<Map>) -> Result<Table> {
    let lookup_size = map.lookup_size()?;
    let btf = object.btf().map(|btf| &**btf);
    let event_type = object.event_type(&map.name).unwrap_or(TypeId::VOID);
    let fill = || -> mlua::Result<Table> {
        let table = lua.create_table()?;
        table.set("name", map.name.as_str())?;
        table.set("fd", map.as_fd().as_raw_fd())?;
        table.set("kind", map.kind.name())?;
        table.set("max_entries", map.max_entries)?;
        table.set("is_array", map.kind.is_array())?;
        table.set("per_cpu", map.is_per_cpu())?;
        table.set("lookup_size", lookup_size)?;
        table.set("key_type", type_table(lua, btf, TypeId(map.key_type_id))?)?;
        table.set("value_type", type_table(lua, btf, TypeId(map.value_type_id))?)?;
        table.set("event_type", type_table(lua, btf, event_type)?)?;
        Ok(table)
    };
    fill().map_err(|error| from_mlua("maps", &error))
}

fn type_table(lua: &Lua, btf: Option<&Btf>, id: TypeId) -> mlua::Result<Value> {
    match btf.and_then(|btf| describe(btf, id)) {
        Some(ctype) => ctype.to_table(lua)?.into_lua(lua),
        None => Ok(Value::Nil),
    }
}
