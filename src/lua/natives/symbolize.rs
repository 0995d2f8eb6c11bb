// SPDX-License-Identifier: Apache-2.0
//! Names of addresses. An address comes as two numbers, its upper and its lower half: a Lua number holds no 64 bits.
//!
//! What the machine refuses (hidden kernel addresses, another user's process) is told the user once, and the address is
//! unknown: a stack with gaps is more than none.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;

use mlua::{AnyUserData, LightUserData, Lua, Table, UserData};

use super::object::field;
use crate::error::{Error, Kind, Result};
use crate::lua::errors::{Natives, from_mlua};
use crate::lua::host::Host;
use crate::symbolize::build_id::BuildId;
use crate::symbolize::process::Process;
use crate::symbolize::symbol::{Style, Symbolized, Unknown, text};
use crate::symbolize::{Symbols, kernel};

/// What is kept for one VM.
#[derive(Default)]
pub(super) struct State {
    symbols: Symbols,
    /// The name that was given last by its place in memory.
    last: RefCell<String>,
    /// What the user was told already.
    told: RefCell<BTreeSet<String>>,
}

/// A process held by Lua: what was learned of it stays as long as this does.
struct ProcessValue(Rc<Process>);

impl UserData for ProcessValue {}

/// The two halves of an address.
type Halves = (u32, u32);

/// `native.symbolize`. A `process` is what `open` gives, and nil stands for the kernel:
/// `open(pid)`; `text(pid?, hi, lo, style)`, `resolve(process?, hi, lo, demangle)` → name?, offset, module, why;
/// `line(process, hi, lo)` → file, line, column; `address(process?, module?, name)` → hi, lo; `refresh(process?)`;
/// `build_id_text({pid?, id, hi, lo, show_module…})`; `add_module(path)`; `handle()`, for the C function of names.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let state_of_vm = Rc::new(State::default());
    let handle = LightUserData(Rc::as_ptr(&state_of_vm).cast_mut().cast());
    lua.set_app_data(state_of_vm);
    let natives = Natives::new(lua)?;
    natives.add("handle", "sym", move |_, ()| Ok(handle))?;
    natives.add("open", "SymbolCache", |lua, pid: u32| Ok(ProcessValue(state(lua)?.symbols.process(pid)?)))?;
    natives.add("text", "sym", |lua, (pid, hi, lo, show_module, show_offset, demangle)| {
        let symbolized = symbolize(lua, pid, address((hi, lo)))?;
        Ok(text(&symbolized, Style { show_module, show_offset, demangle }))
    })?;
    natives.add("resolve", "resolve", |lua, (process, hi, lo, demangle): (Option<AnyUserData>, u32, u32, bool)| {
        let symbolized = match &process {
            Some(process) => with(process, |process| process.symbolize(address((hi, lo))))?,
            None => symbolize(lua, None, address((hi, lo)))?,
        };
        Ok(match symbolized {
            Ok(found) => {
                let name = if demangle { found.demangled().into_owned() } else { found.name };
                (Some(name), Some(found.offset), Some(found.module), None)
            }
            Err(unknown) => (None, None, unknown.module, Some(unknown.why.into_owned())),
        })
    })?;
    natives.add("line", "line", |_, (process, hi, lo): (AnyUserData, u32, u32)| {
        let line = with(&process, |process| process.line(address((hi, lo))))?;
        Ok(line.map_or((None, None, None), |at| {
            (Some(at.file.to_string_lossy().into_owned()), Some(at.line), Some(at.column))
        }))
    })?;
    natives.add("address", "resolve_name", find_address)?;
    natives.add("refresh", "refresh", |_, process: Option<AnyUserData>| match process {
        Some(process) => with(&process, Process::refresh),
        None => kernel::refresh().map(|()| true),
    })?;
    natives.add("build_id_text", "sym", |lua, frame: Table| build_id_text(lua, &frame))?;
    natives
        .add("add_module", "add_module", |lua, path: String| state(lua)?.symbols.add_module(&PathBuf::from(path)))?;
    Ok(natives.into_table())
}

fn state(lua: &Lua) -> Result<Rc<State>> {
    lua.app_data_ref::<Rc<State>>()
        .map(|state| Rc::clone(&state))
        .ok_or_else(|| Error::bug("cannot reach the symbols", "they are not set"))
}

fn address((hi, lo): Halves) -> u64 {
    u64::from(hi) << 32 | u64::from(lo)
}

fn halves(address: u64) -> Halves {
    ((address >> 32) as u32, address as u32)
}

fn with<R>(process: &AnyUserData, body: impl FnOnce(&Process) -> R) -> Result<R> {
    let process = process.borrow::<ProcessValue>().map_err(|error| from_mlua("SymbolCache", &error))?;
    Ok(body(&process.0))
}

/// The function at an address of a process, or of the kernel.
fn symbolize(lua: &Lua, pid: Option<u32>, address: u64) -> Result<Symbolized> {
    let state = state(lua)?;
    let answer = match pid {
        Some(pid) => state.symbols.process(pid).map(|process| process.symbolize(address)),
        None => kernel::symbolize(address),
    };
    answer.or_else(|error| state.unknown(lua, &error))
}

impl State {
    /// The bare name of the function at an address of a process, as bytes that stay until the next question.
    pub(super) fn name_in(&self, pid: u32, address: u64, demangle: bool) -> Option<(*const u8, usize)> {
        let found = self.symbols.process(pid).ok()?.symbolize(address).ok()?;
        let mut last = self.last.borrow_mut();
        *last = if demangle { found.demangled().into_owned() } else { found.name };
        Some((last.as_ptr(), last.len()))
    }

    /// Tells why something cannot be looked at, once for each reason.
    fn tell(&self, lua: &Lua, error: &Error) -> Result<()> {
        if self.told.borrow_mut().insert(error.why().to_owned()) {
            let report = error.report();
            let report = report.strip_prefix("error: ").unwrap_or(&report);
            (Host::of(lua)?.settings.notice)(report.trim_end());
        }
        Ok(())
    }

    /// An answer for what could not be looked at.
    fn unknown(&self, lua: &Lua, error: &Error) -> Result<Symbolized> {
        // That a process has ended is the way of processes.
        if error.kind() == Kind::Machine {
            self.tell(lua, error)?;
        }
        Ok(Err(Unknown::nowhere(error.to_string())))
    }
}

/// The two halves of an address, or nothing; 0 when the kernel hides it.
fn find_address(
    lua: &Lua,
    (process, module, name): (Option<AnyUserData>, Option<String>, String),
) -> Result<(Option<u32>, Option<u32>)> {
    let found = match process {
        Some(process) => with(&process, |process| process.address_of(module.as_deref(), &name))?,
        None => match kernel::place_of(module.as_deref(), &name)? {
            kernel::Place::At(address) => Some(address),
            kernel::Place::Nowhere => None,
            kernel::Place::Hidden(error) => state(lua)?.tell(lua, &error).map(|()| Some(0))?,
        },
    };
    Ok(found.map(halves).map_or((None, None), |(hi, lo)| (Some(hi), Some(lo))))
}

fn build_id_text(lua: &Lua, frame: &Table) -> Result<String> {
    let id = field::<mlua::LuaString>(frame, "id")?;
    let id: BuildId = (&*id.as_bytes()).try_into().map_err(|_| Error::bug("cannot resolve a frame", "no build ID"))?;
    let offset = address((field(frame, "hi")?, field(frame, "lo")?));
    let style = Style {
        show_module: field(frame, "show_module")?,
        show_offset: field(frame, "show_offset")?,
        demangle: field(frame, "demangle")?,
    };
    Ok(text(&state(lua)?.symbols.symbolize_build_id(field(frame, "pid")?, &id, offset), style))
}
