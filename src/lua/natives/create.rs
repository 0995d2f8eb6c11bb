// SPDX-License-Identifier: Apache-2.0
//! From a C text or an object file to an object in the kernel, in two steps: what the text's global variables are to hold
//! is decided between them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use mlua::{AnyUserData, BString, Lua, Table, UserData};

use super::object::{ObjectValue, field, type_table};
use crate::bpf::{
    InitialValue, MapSizes, Object, ObjectOptions, keep_memlock_limit, read_maps, read_variables, show_libbpf_messages,
};
use crate::error::{Error, Result};
use crate::lua::Settings;
use crate::lua::compile::{self, Compiled, Request};
use crate::lua::errors::{Natives, from_mlua};
use crate::lua::host::{Generated, Host, PackEntry, Task};

/// A compiled C text or an object file that is not in the kernel yet.
#[derive(Debug)]
pub struct ElfValue {
    bytes: Vec<u8>,
    name: String,
    ir: Option<String>,
    preprocessed: Option<String>,
}

impl UserData for ElfValue {}

/// `native.create`: `compile(request)`, `open(path)`, `variables(elf)`, `maps(elf)`, `shown(elf)`, `object(elf, options)`,
/// `keep_memlock_limit()`, `show_libbpf()`, `checked()`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("compile", "BPF", |lua, arguments: Table| Ok(compile_text(lua, &arguments)?.unzip()))?;
    natives.add("open", "BPF", |_, path: String| open_file(&path))?;
    natives.add("variables", "BPF", |lua, elf: AnyUserData| variables(lua, &elf))?;
    natives.add("maps", "types", |lua, elf: AnyUserData| maps(lua, &elf))?;
    natives.add("shown", "BPF", |lua, elf: AnyUserData| shown(lua, &elf))?;
    natives.add("object", "BPF", |lua, (elf, options): (AnyUserData, Table)| object(lua, &elf, &options))?;
    natives.add("keep_memlock_limit", "BPF", |_, ()| {
        keep_memlock_limit();
        Ok(())
    })?;
    natives.add("show_libbpf", "BPF", |lua, ()| {
        show_libbpf_messages(Host::of(lua)?.settings.notice);
        Ok(())
    })?;
    natives.add("checked", "checked", |lua, ()| Ok(Host::of(lua)?.checked.texts.len()))?;
    Ok(natives.into_table())
}

/// Compiles `{text, source?, file?, cflags?, show_ir?, show_preprocessed?}`. `source` is the chunk name of the script that the text may be a literal
/// of; `file` is the C file it was read from. Gives nil when the script is only being checked and nothing is left to do,
/// else also the line that the text begins on.
fn compile_text(lua: &Lua, arguments: &Table) -> Result<Option<(ElfValue, u32)>> {
    let host = Host::of(lua)?;
    let request = request(&host, arguments)?;
    let generated = generated(&host, arguments, &request)?;
    let compiled = compile_timed(&request, &host.settings);
    if let Task::Check { .. } = host.settings.task {
        host.requests.borrow_mut().push(request.clone());
    }
    let (is_check, goes_on) = match host.settings.task {
        Task::Check { load } => (true, load && compiled.is_ok()),
        Task::Types | Task::Run => (false, true),
    };
    if is_check && !goes_on {
        drop(host);
        generated.map_or(Ok(()), |generated| Host::record_generated(lua, generated))?;
        return Host::record_check(lua, compiled.err()).map(|()| None);
    }
    let Compiled { object, ir, preprocessed, .. } = compiled?;
    if is_check {
        drop(host);
        generated.map_or(Ok(()), |generated| Host::record_generated(lua, generated))?;
    }
    Ok(Some((ElfValue { bytes: object, name: object_name(&request.name), ir, preprocessed }, request.line)))
}

/// Creates the object, `{constants = {NAME = bytes}, maps = {NAME = {max_entries, key_size, value_size}}, maps_ns}`. Gives
/// nil when the script is only being checked; then its programs pass through the verifier.
fn object(lua: &Lua, elf: &AnyUserData, options: &Table) -> Result<Option<ObjectValue>> {
    let host = Host::of(lua)?;
    let elf = elf.borrow::<ElfValue>().map_err(|error| from_mlua("BPF", &error))?;
    let options = ObjectOptions {
        constants: constants(options)?,
        map_sizes: map_sizes(options)?,
        namespace: field::<Option<String>>(options, "maps_ns")?.unwrap_or_default(),
        verifier_log_level: field::<Option<u32>>(options, "log_level")?
            .unwrap_or(0)
            .max(default_log_level(&host.settings)),
        alone: matches!(host.settings.task, Task::Check { .. }),
        ..object_options(&host.settings, elf.name.clone())
    };
    let created = create(&host.settings, elf.bytes.clone(), options);
    if let Task::Check { .. } = host.settings.task {
        let outcome = created.and_then(|mut object| load_all(&mut object)).err();
        drop(host);
        return Host::record_check(lua, outcome).map(|()| None);
    }
    created.map(|object| Some(object.into()))
}

fn constants(options: &Table) -> Result<Vec<InitialValue>> {
    let given = field::<Option<Table>>(options, "constants")?;
    let pairs = given.iter().flat_map(Table::pairs::<String, BString>);
    let values = pairs.map(|pair| pair.map(|(variable, bytes)| InitialValue { variable, bytes: bytes.into() }));
    values.collect::<mlua::Result<_>>().map_err(|error| from_mlua("constants", &error))
}

fn map_sizes(options: &Table) -> Result<Vec<MapSizes>> {
    let given = field::<Option<Table>>(options, "maps")?;
    let pairs = given.iter().flat_map(Table::pairs::<String, Table>);
    let sizes = pairs.map(|pair| {
        let (map, sizes) = pair.map_err(|error| from_mlua("maps", &error))?;
        let size = |name| Ok(field::<Option<u32>>(&sizes, name)?.unwrap_or(0));
        Ok(MapSizes {
            max_entries: size("max_entries")?,
            key_size: size("key_size")?,
            value_size: size("value_size")?,
            map,
        })
    });
    sizes.collect()
}

/// The global variables with their types: `{NAME = {type, constant}}`.
fn variables(lua: &Lua, elf: &AnyUserData) -> Result<Table> {
    let elf = elf.borrow::<ElfValue>().map_err(|error| from_mlua("BPF", &error))?;
    let found = read_variables(&elf.bytes, &elf.name)?;
    let fill = || -> mlua::Result<Table> {
        let table = lua.create_table()?;
        for (variable, btf) in found.iter().flat_map(|(variables, btf)| variables.iter().map(move |one| (one, btf))) {
            let facts = lua.create_table()?;
            facts.set("type", type_table(lua, Some(btf), variable.type_id)?)?;
            facts.set("constant", variable.is_constant())?;
            table.set(variable.name.as_str(), facts)?;
        }
        Ok(table)
    };
    fill().map_err(|error| from_mlua("BPF", &error))
}

/// The maps with their types, as the file declares them: `{NAME = {key_type, value_type, event_type}}`.
fn maps(lua: &Lua, elf: &AnyUserData) -> Result<Table> {
    let elf = elf.borrow::<ElfValue>().map_err(|error| from_mlua("types", &error))?;
    let found = read_maps(&elf.bytes, &elf.name)?;
    let fill = || -> mlua::Result<Table> {
        let table = lua.create_table()?;
        for (map, btf) in found.iter().flat_map(|(maps, btf)| maps.iter().map(move |map| (map, btf))) {
            let facts = lua.create_table()?;
            facts.set("kind", map.kind.name())?;
            facts.set("key_type", type_table(lua, Some(btf), map.key_type)?)?;
            facts.set("value_type", type_table(lua, Some(btf), map.value_type)?)?;
            facts.set("event_type", type_table(lua, Some(btf), map.event_type)?)?;
            table.set(map.name.as_str(), facts)?;
        }
        Ok(table)
    };
    fill().map_err(|error| from_mlua("types", &error))
}

/// What was to be shown of the compilation: `{ir, preprocessed}`.
fn shown(lua: &Lua, elf: &AnyUserData) -> Result<Table> {
    let elf = elf.borrow::<ElfValue>().map_err(|error| from_mlua("BPF", &error))?;
    let fill = || -> mlua::Result<Table> {
        let table = lua.create_table()?;
        table.set("ir", elf.ir.as_deref())?;
        table.set("preprocessed", elf.preprocessed.as_deref())?;
        Ok(table)
    };
    fill().map_err(|error| from_mlua("BPF", &error))
}

/// Compiles; shows the compiler's warnings, and where the object came from when the user wants to know.
fn compile_timed(request: &Request, settings: &Settings) -> Result<Compiled> {
    let start = Instant::now();
    if let Some(object) = built_before(request, settings)? {
        settings.tell(1, || format!("C text of `{}` was compiled with the pack, {} bytes", request.name, object.len()));
        return Ok(Compiled { object, warnings: Vec::new(), from_cache: false, ir: None, preprocessed: None });
    }
    let compiled = compile::compile(request, settings)?;
    compiled.warnings.iter().for_each(|warning| (settings.notice)(warning.trim_end()));
    let origin = if compiled.from_cache { "taken from the cache" } else { "compiled" };
    settings.tell(1, || format!("C text of `{}` {origin}, {} bytes", request.name, compiled.object.len()));
    settings.tell(2, || format!("that took {:.1} ms", start.elapsed().as_secs_f64() * 1e3));
    Ok(compiled)
}

/// The object of the text in the pack that runs. What is asked of the compiler beyond an object, or by the command line, is
/// the compiler's.
fn built_before(request: &Request, settings: &Settings) -> Result<Option<Vec<u8>>> {
    let wants_more =
        request.show_ir || request.show_preprocessed || !settings.cflags.is_empty() || settings.btf.is_some();
    let built = settings.entry.as_ref().and_then(|entry| entry.built.as_ref()).filter(|_| !wants_more);
    built.map_or(Ok(None), |built| built.find(&request.text, &request.cflags))
}

/// Compiles a C text, and with `load` passes its programs through the kernel's verifier.
pub fn check(request: &Request, settings: &Settings, load: bool) -> Result<()> {
    let compiled = compile_timed(request, settings)?;
    if !load {
        return Ok(());
    }
    let options = ObjectOptions { alone: true, ..object_options(settings, object_name(&request.name)) };
    load_all(&mut create(settings, compiled.object, options)?)
}

fn load_all(object: &mut Object) -> Result<()> {
    let alone = object.functions().iter().filter(|function| !function.needs_program());
    let names: Vec<String> = alone.map(|function| function.name.clone()).collect();
    names.iter().try_for_each(|name| object.load(name).map(drop))
}

fn request(host: &Host, arguments: &Table) -> Result<Request> {
    let text: String = field(arguments, "text")?;
    let cflags = field::<Option<Vec<String>>>(arguments, "cflags")?.unwrap_or_default();
    let wanted = Request {
        show_ir: field::<Option<bool>>(arguments, "show_ir")?.unwrap_or(false),
        show_preprocessed: field::<Option<bool>>(arguments, "show_preprocessed")?.unwrap_or(false),
        ..Request::default()
    };
    if let Some(file) = field::<Option<String>>(arguments, "file")? {
        let folder = Path::new(&file).parent().map(Path::to_owned);
        return Ok(Request { name: file, text, line: 1, column: 1, cflags, folder, ..wanted });
    }
    let source: Option<String> = field(arguments, "source")?;
    let (name, script, folder) = script_of(host, source.as_deref());
    let place = script.and_then(|script| compile::locate(&script, &text));
    Ok(match place {
        Some((line, column)) => Request { name, text, line, column, cflags, folder, ..wanted },
        None => Request { name: format!("C text of {name}"), text, line: 1, column: 1, cflags, folder, ..wanted },
    })
}

/// What is to be noted of a text that stands neither in a C file nor in the script as it is compiled.
fn generated(host: &Host, arguments: &Table, request: &Request) -> Result<Option<Generated>> {
    if field::<Option<String>>(arguments, "file")?.is_some() {
        return Ok(None);
    }
    let source: Option<String> = field(arguments, "source")?;
    let (name, script, _) = script_of(host, source.as_deref());
    if script.is_some_and(|script| script.contains(request.text.as_str())) {
        return Ok(None);
    }
    let line = (request.name == name).then_some(request.line);
    let first_line = request.text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned();
    Ok(Some(Generated { name, line, first_line }))
}

/// The script that called `BPF{…}`: its name, its text if it can be had, its folder.
fn script_of(host: &Host, source: Option<&str>) -> (String, Option<String>, Option<PathBuf>) {
    let main = &host.script;
    let statement = source.and_then(|source| host.statements.get(source.strip_prefix('=')?));
    if let Some(statement) = statement {
        return (statement.name.clone(), String::from_utf8(statement.text.clone()).ok(), None);
    }
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
fn open_file(path: &str) -> Result<ElfValue> {
    let bytes = std::fs::read(path).map_err(|error| {
        let errno = error.raw_os_error().unwrap_or_default();
        Error::script(format!("cannot read object `{path}`"), crate::error::errno_words(errno)).with_errno(errno)
    })?;
    Ok(ElfValue { bytes, name: object_name(path), ir: None, preprocessed: None })
}

/// What the kernel's tools show of the object: the file's name without its folder and ending.
fn object_name(file: &str) -> String {
    Path::new(file).file_stem().map_or_else(|| file.to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn object_options(settings: &Settings, name: String) -> ObjectOptions {
    ObjectOptions {
        name,
        btf_path: settings.btf.clone(),
        verifier_log_level: default_log_level(settings),
        mechanism: settings.mechanism,
        grants: settings.entry.as_ref().and_then(PackEntry::grants),
        ..ObjectOptions::default()
    }
}

fn default_log_level(settings: &Settings) -> u32 {
    if settings.verifier_log { 2 } else { 0 }
}

fn create(settings: &Settings, elf: Vec<u8>, options: ObjectOptions) -> Result<Object> {
    let start = Instant::now();
    let object = Object::create(elf, options)?;
    settings
        .tell(2, || format!("maps of `{}` created in {:.1} ms", object.name(), start.elapsed().as_secs_f64() * 1e3));
    Ok(object)
}
