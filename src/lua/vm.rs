// SPDX-License-Identifier: Apache-2.0
//! A Lua VM with bpflua's library in it, and the run of a script from its first line to the end.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use mlua::{Function, Lua, MultiValue, Table, Value};

use super::compile::Request;
use super::host::{Checked, Host, Settings, Task};
use super::interrupt::Interrupt;
use super::script::Script;
use super::{errors, failure, natives, require, results};
use crate::error::{Error, Result};

/// How a script's run came to its end, when not by an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The script ran to its last line, or was told of a stop and ended; the status is 0 or that of `BPF.exit(status)`.
    Exit(u8),
    /// Ctrl-C stopped it outside of a loop that ends by itself.
    Interrupted,
    /// The reader of its output went away.
    BrokenPipe,
}

/// LuaJIT's name and version.
pub fn luajit_version() -> String {
    let lua = Lua::new();
    let jit = lua.globals().get::<Table>("jit");
    jit.and_then(|jit| jit.get("version")).unwrap_or_else(|_| "LuaJIT".to_owned())
}

/// A VM for one script.
#[derive(Debug)]
pub struct Vm {
    lua: Lua,
}

impl Vm {
    /// Makes a VM: all of LuaJIT's libraries, the natives, the embedded library behind `require`, the globals.
    pub fn new(settings: Settings) -> Result<Vm> {
        // SAFETY: a "safe" VM lacks `ffi` and `debug`, which the library is built on. Scripts are trusted as any
        // program that root starts is; nothing in here relies on Lua code being unable to reach memory.
        let lua = unsafe { Lua::unsafe_new() };
        let vm = Vm { lua };
        vm.install(settings).map_err(|error| errors::from_mlua("cannot set up the Lua VM", &error))?;
        Ok(vm)
    }

    fn install(&self, settings: Settings) -> mlua::Result<()> {
        let lua = &self.lua;
        // What the library makes at the start stays; boot.lua lets the collector run again when it is there.
        lua.gc_stop();
        results::make_whole(lua)?;
        lua.set_app_data(Host { settings, ..Host::default() });
        errors::install(lua)?;
        require::install(lua, natives::table(lua)?)?;
        lua.globals().get::<Function>("require")?.call("bpflua.boot")
    }

    /// The VM itself, for the rooms above.
    pub fn lua(&self) -> &Lua {
        &self.lua
    }

    /// Runs a script with its arguments; by the return, everything it attached is detached.
    pub fn run(&self, script: Script, args: &[OsString]) -> Result<End> {
        let chunk = self.load(&script)?;
        let _signals = Interrupt::install(&self.lua)?;
        self.set_args(&script, args).map_err(|error| errors::from_mlua("cannot pass the arguments", &error))?;
        if let Some(mut host) = self.lua.app_data_mut::<Host>() {
            host.script = script;
        }
        let outcome = self.call_boot(chunk).map_err(|error| errors::from_mlua("cannot run the script", &error))?;
        self.outcome(outcome)
    }

    /// A prompt: after the script, with its locals, when there is one; else with globals alone. By the return, everything
    /// that was attached is detached.
    pub fn interact(&self, script: Option<Script>, args: &[OsString]) -> Result<End> {
        let _signals = Interrupt::install(&self.lua)?;
        let fail = |error: mlua::Error| errors::from_mlua("cannot start the prompt", &error);
        let script = script.unwrap_or_default();
        self.set_args(&script, args).map_err(fail)?;
        let text = self.lua.create_string(script.lua_text()).map_err(fail)?;
        let name = script.chunk_name();
        let is_script = !script.name.is_empty();
        if let Some(mut host) = self.lua.app_data_mut::<Host>() {
            host.script = script;
        }
        let call = || -> mlua::Result<MultiValue> {
            let session = self.require("bpflua.repl.start")?;
            session.get::<Function>("interact")?.call((
                is_script.then_some(text),
                name,
                self.lua.globals().get::<Table>("arg")?,
            ))
        };
        let outcome = call().map_err(fail)?;
        self.outcome(outcome)
    }

    /// Compiles what the script's `BPF{…}` calls would compile, without running the rest; see `scripts/lib/check.lua`.
    pub fn check(&self, script: Script, args: &[OsString]) -> Result<Checked> {
        self.run(script, args)?;
        let host = self.lua.app_data_mut::<Host>();
        Ok(host.map(|mut host| std::mem::take(&mut host.checked)).unwrap_or_default())
    }

    /// As [`Vm::check`], with arguments; gives the C texts themselves, in the order in which the script came by them, and how the
    /// script ended.
    pub fn texts(&self, script: Script, args: &[OsString]) -> (Vec<Request>, Result<End>) {
        let ended = self.run(script, args);
        let host = self.lua.app_data_mut::<Host>();
        (host.map(|host| host.requests.take()).unwrap_or_default(), ended)
    }

    /// Whether a file is Lua; it is not run.
    pub fn parse(&self, script: &Script) -> Result<()> {
        self.load(script).map(drop)
    }

    /// The stubs for editors: of bpflua itself, or of the maps and events of a script's C texts.
    pub fn types(&self, script: Option<Script>) -> Result<String> {
        let fail = |error: mlua::Error| errors::from_mlua("cannot write the types", &error);
        if let Some(script) = script {
            self.run(script, &[])?;
        }
        let stubs: Table = self.require("bpflua.stubs").map_err(fail)?;
        stubs.get::<Function>("text").and_then(|text| text.call(())).map_err(fail)
    }

    fn require(&self, name: &str) -> mlua::Result<Table> {
        self.lua.globals().get::<Function>("require")?.call(name)
    }

    fn load(&self, script: &Script) -> Result<Function> {
        let chunk = self.lua.load(script.lua_text()).set_name(script.chunk_name());
        chunk
            .set_mode(mlua::chunk::ChunkMode::Text)
            .into_function()
            .map_err(|error| failure::from_syntax(script, &error))
    }

    /// The global `arg`: the script at 0, its arguments from 1.
    fn set_args(&self, script: &Script, args: &[OsString]) -> mlua::Result<()> {
        let table = self.lua.create_table()?;
        for arg in args {
            table.push(self.lua.create_string(arg.as_bytes())?)?;
        }
        table.set(0, script.name.as_str())?;
        self.lua.globals().set("arg", table)
    }

    fn call_boot(&self, chunk: Function) -> mlua::Result<MultiValue> {
        let boot = self.require("bpflua.boot")?;
        let args: Table = self.lua.globals().get("arg")?;
        let checking = Host::of(&self.lua).is_ok_and(|host| host.settings.task != Task::Run);
        boot.get::<Function>(if checking { "check" } else { "run" })?.call((chunk, args))
    }

    fn outcome(&self, values: MultiValue) -> Result<End> {
        let mut values = values.into_iter();
        let how = values.next().unwrap_or(Value::Nil);
        let detail = values.next().unwrap_or(Value::Nil);
        match how.as_string().map(mlua::LuaString::to_string_lossy).as_deref() {
            Some("exit") => {
                Ok(End::Exit(detail.as_integer().and_then(|status| u8::try_from(status).ok()).unwrap_or(1)))
            }
            Some("interrupted") => Ok(End::Interrupted),
            Some("broken pipe") => Ok(End::BrokenPipe),
            Some("failed") => Err(failure::from_run(&self.lua, &detail, values.next().as_ref())),
            _ => Err(Error::bug("cannot tell how the script ended", "boot.lua gave no known answer")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str) -> Result<End> {
        Vm::new(Settings::default())?.run(Script::from_argument(text), &["a".into(), "-b".into()])
    }

    #[test]
    fn a_script_runs_with_its_arguments() {
        assert_eq!(run("assert(arg[1] == 'a' and arg[2] == '-b' and select('#', ...) == 2)").unwrap(), End::Exit(0));
        assert_eq!(run("return 7").unwrap(), End::Exit(0));
    }

    #[test]
    fn the_contract_of_bcc_lua_is_called_with_bpf_and_utils() {
        let text = "return function(BPF, utils) assert(BPF and utils) error('reached') end";
        assert_eq!(run(text).unwrap_err().to_string(), "reached");
    }

    #[test]
    fn the_jit_is_on_and_tuned() {
        run("assert(jit.status() == true)").unwrap();
    }
}
