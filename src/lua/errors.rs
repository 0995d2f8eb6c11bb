// SPDX-License-Identifier: Apache-2.0
//! [`Error`] as a Lua value, so that it crosses Lua code without losing anything.
//!
//! A native made by [`function`] never raises an mlua error: it returns `true, results…` or `false, error`, and the Lua
//! half (`scripts/lib/errors.lua`) adds the script's line and raises the error value itself. So `pcall` in a script
//! gets an object with `err.what`, `err.why`, `err.log` …, and `tostring(err)` is the whole report.

use mlua::{
    BString, FromLuaMulti, Function, IntoLuaMulti, Lua, LuaString, MetaMethod, MultiValue, Table, UserData,
    UserDataFields, Value,
};

use super::host::Host;
use crate::error::{Error, Kind, Location, Result, errno_name};
use crate::packs::embedded;
use crate::suggest;

/// Where the Lua half of this file, the table that `errors.lua` returns, is kept in the registry.
const LUA_HALF: &str = "bpflua.errors";

/// An [`Error`] held by Lua. Empty only after the top level took it out.
#[derive(Debug)]
pub struct ErrorValue(Option<Error>);

impl ErrorValue {
    /// Wraps an error for its way through Lua.
    pub fn new(error: Error) -> Self {
        ErrorValue(Some(error))
    }

    /// Takes the error out at the end of its way.
    pub fn into_error(self) -> Error {
        self.0.unwrap_or_else(|| Error::bug("cannot report an error", "it was taken already"))
    }

    /// The error as a person reads it.
    fn text(&self) -> String {
        self.read(String::new(), |error| error.report().trim_end().to_owned())
    }

    fn read<R>(&self, default: R, read: impl FnOnce(&Error) -> R) -> R {
        self.0.as_ref().map_or(default, read)
    }

    /// Adds the script's line, unless the error has a place in the user's files already.
    fn locate(&mut self, location: Location) {
        if self.0.as_ref().is_some_and(|error| error.locations().is_empty()) {
            self.0 = self.0.take().map(|error| error.with_location(location));
        }
    }
}

impl UserData for ErrorValue {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("what", |_, this| Ok(this.read(String::new(), |e| e.what().to_owned())));
        fields.add_field_method_get("why", |_, this| Ok(this.read(String::new(), |e| e.why().to_owned())));
        fields.add_field_method_get("message", |_, this| Ok(this.read(String::new(), Error::to_string)));
        fields.add_field_method_get("errno", |_, this| Ok(this.read(None, Error::errno)));
        fields.add_field_method_get("errno_name", |_, this| Ok(this.read(None, |e| e.errno().map(errno_name))));
        fields.add_field_method_get("log", |_, this| Ok(this.read(None, |e| e.log().map(str::to_owned))));
        fields.add_field_method_get("hints", |_, this| Ok(this.read(Vec::new(), |e| e.hints().to_vec())));
        fields.add_field_method_get("kind", |_, this| Ok(this.read("bug", |e| kind_name(e.kind()))));
    }

    fn add_methods<M: mlua::UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.text()));
        // Scripts written for hosts whose errors are strings call a string's methods on them, and join them to others.
        methods.add_meta_method(MetaMethod::Index, |lua, this, name: String| string_method(lua, this.text(), &name));
        methods.add_meta_function(MetaMethod::Concat, |lua, (left, right): (Value, Value)| {
            let text = |value| lua.globals().get::<Function>("tostring")?.call::<BString>(value);
            lua.create_string([text(left)?, text(right)?].concat())
        });
    }
}

/// A method of strings, to be called on an error value.
fn string_method(lua: &Lua, text: String, name: &str) -> mlua::Result<Function> {
    let Ok(method) = lua.globals().get::<Table>("string")?.raw_get::<Function>(name) else {
        return Err(mlua::Error::runtime(format!("an error has no field `{name}`")));
    };
    lua.create_function(move |lua, mut arguments: MultiValue| {
        arguments.pop_front();
        arguments.push_front(Value::String(lua.create_string(&text)?));
        method.call::<MultiValue>(arguments)
    })
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Script => "script",
        Kind::Machine => "machine",
        Kind::Bug => "bug",
    }
}

/// What an mlua error means for the person who runs the script.
pub fn from_mlua(what: &str, error: &mlua::Error) -> Error {
    match error {
        mlua::Error::CallbackError { cause, .. } | mlua::Error::WithContext { cause, .. } => from_mlua(what, cause),
        mlua::Error::MemoryError(why) => Error::script(what, format!("out of memory: {why}")),
        mlua::Error::BadArgument { to, pos, cause, .. } => {
            let function = to.as_deref().unwrap_or(what);
            Error::script(function, format!("argument {pos}: {cause}"))
        }
        mlua::Error::FromLuaConversionError { from, message, .. } => {
            Error::script(what, misfit(from, message.as_deref()))
        }
        _ => Error::bug(what, error.to_string()),
    }
}

/// Why a Lua value is not what was due, without the names of Rust's types.
fn misfit(from: &str, detail: Option<&str>) -> String {
    match detail {
        Some(detail) if detail.starts_with("invalid utf-8") => "the text is not valid UTF-8".to_owned(),
        Some("out of range") => "the number is out of range".to_owned(),
        _ => format!("this is no place for a {from}"),
    }
}

/// A table of functions for Lua, while it is made.
#[derive(Debug)]
pub struct Natives<'a> {
    lua: &'a Lua,
    table: Table,
}

impl<'a> Natives<'a> {
    /// An empty table.
    pub fn new(lua: &'a Lua) -> mlua::Result<Natives<'a>> {
        Ok(Natives { lua, table: lua.create_table()? })
    }

    /// Adds a [`function`] as `key`; `name` is what the user knows it by.
    pub fn add<A, R>(
        &self,
        key: &str,
        name: &'static str,
        body: impl Fn(&Lua, A) -> Result<R> + 'static,
    ) -> mlua::Result<()>
    where
        A: FromLuaMulti,
        R: IntoLuaMulti,
    {
        self.table.set(key, function(self.lua, name, body)?)
    }

    /// The table.
    pub fn into_table(self) -> Table {
        self.table
    }
}

/// A Lua function that runs `body`; its error reaches Lua as an [`ErrorValue`] with the script's line added.
///
/// `name` is what the user calls it by; it heads the error when the arguments do not fit.
pub fn function<A, R>(
    lua: &Lua,
    name: &'static str,
    body: impl Fn(&Lua, A) -> Result<R> + 'static,
) -> mlua::Result<Function>
where
    A: FromLuaMulti,
    R: IntoLuaMulti,
{
    let raw = lua.create_function(move |lua, args: MultiValue| {
        let result =
            A::from_lua_multi(args, lua).map_err(|error| from_mlua(name, &error)).and_then(|args| body(lua, args));
        match result {
            Ok(values) => {
                let mut values = values.into_lua_multi(lua)?;
                values.push_front(Value::Boolean(true));
                Ok(values)
            }
            Err(error) => (false, ErrorValue::new(error)).into_lua_multi(lua),
        }
    })?;
    let half: Table = lua.named_registry_value(LUA_HALF)?;
    half.get::<Function>("wrap")?.call(raw)
}

/// Loads the Lua half; before any [`function`] is made.
pub fn install(lua: &Lua) -> mlua::Result<()> {
    let native = lua.create_table()?;
    native.set("new", lua.create_function(|_, fields: Table| Ok(ErrorValue::new(from_fields(&fields)?)))?)?;
    native.set(
        "locate",
        lua.create_function(|lua, (error, file, line): (mlua::AnyUserData, String, u32)| {
            if let Ok(mut error) = error.borrow_mut::<ErrorValue>() {
                error.locate(Host::place(lua, file, line));
            }
            Ok(())
        })?,
    )?;
    native.set(
        "is_error",
        lua.create_function(|_, value: Value| {
            Ok(value.as_userdata().is_some_and(mlua::AnyUserData::is::<ErrorValue>))
        })?,
    )?;
    native.set("is_embedded", lua.create_function(|_, source: String| Ok(embedded::is_embedded(&source)))?)?;
    native.set(
        "nearest",
        lua.create_function(|_, (name, known): (LuaString, Vec<String>)| {
            let near = suggest::nearest(&name.to_string_lossy(), known.iter().map(String::as_str));
            Ok(near.into_iter().map(str::to_owned).collect::<Vec<_>>())
        })?,
    )?;
    let script = embedded::lua("errors").ok_or_else(|| mlua::Error::runtime("errors.lua is not embedded"))?;
    let half: Table = lua.load(&*script.chunk).set_name(script.chunk_name).call(native)?;
    lua.set_named_registry_value(LUA_HALF, half)
}

/// The Lua half's table, for `require`.
pub fn lua_half(lua: &Lua) -> mlua::Result<Table> {
    lua.named_registry_value(LUA_HALF)
}

fn from_fields(fields: &Table) -> mlua::Result<Error> {
    let what = fields.get::<LuaString>("what")?.to_string_lossy();
    let why = fields.get::<Option<LuaString>>("why")?.map(|why| why.to_string_lossy()).unwrap_or_default();
    let mut error = match fields.get::<Option<String>>("kind")?.as_deref() {
        Some("machine") => Error::machine(what, why),
        Some("bug") => Error::bug(what, why),
        _ => Error::script(what, why),
    };
    if let Some(errno) = fields.get::<Option<i32>>("errno")? {
        error = error.with_errno(errno);
    }
    // Names are the user's: any bytes.
    for line in fields.get::<Option<Vec<LuaString>>>("evidence")?.into_iter().flatten() {
        error = error.with_evidence(line.to_string_lossy());
    }
    for hint in fields.get::<Option<Vec<LuaString>>>("hints")?.into_iter().flatten() {
        error = error.with_hint(hint.to_string_lossy());
    }
    Ok(error)
}
