// SPDX-License-Identifier: Apache-2.0
//! What the command line decided, where every native can see it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;

use mlua::{AppDataRef, Lua};
use serde::Serialize;

use super::compile::Request;
use super::prompt::Prompt;
use super::script::Script;
use crate::bpf::{Grants, Mechanism};
use crate::error::{Error, Location, Result};
use crate::packs::built::Built;
use crate::packs::entry::{Entry, Requires};

/// What a VM is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// Run the script.
    #[default]
    Run,
    /// Compile what its `BPF{…}` calls would compile; nothing is attached, and nothing is loaded unless `load`.
    Check {
        /// Pass the programs through the kernel's verifier too.
        load: bool,
    },
    /// Print the types of the maps and events of its C texts, for editors; nothing is attached or loaded.
    Types,
}

/// The entry of a pack that a run is of.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PackEntry {
    /// What it is called by.
    pub name: String,
    /// The name of its pack.
    pub pack: String,
    /// The version of its pack, when it has one.
    pub version: Option<String>,
    /// What it says of itself.
    pub entry: Entry,
    /// Whether it is held to what it declares: packs are, the user's own files are not.
    pub is_held: bool,
    /// Whether it is a part of bpflua, whose tools share files of the Lua library.
    #[serde(skip)]
    pub is_part: bool,
    /// The folder of objects that were compiled before, if its pack has one.
    #[serde(skip)]
    pub built: Option<Built>,
    /// The packs that `require` finds by name, with their folders: its own and those that it needs.
    #[serde(skip)]
    pub packs: Vec<(String, PathBuf)>,
}

impl PackEntry {
    /// What its programs may do; none: anything.
    pub fn grants(&self) -> Option<Grants> {
        let Requires { attach, helpers, .. } = self.entry.requires.clone();
        self.is_held.then(|| Grants { who: format!("pack `{}`", self.pack), attach, helpers })
    }
}

/// What scripts written for bcc-lua may ask of the command line.
#[derive(Clone, Debug, Default)]
pub struct BccLua {
    /// The name that the command was called by, if it is one of bcc-lua's: their global `BCC_STANDALONE`.
    pub called: Option<String>,
    /// Whether LLVM's form of each C text is shown: their global `LIBBCC_LLVM_DEBUG`.
    pub llvm_debug: bool,
}

/// What a check found.
#[derive(Debug, Default)]
pub struct Checked {
    /// One for each C text: its error, if it has one.
    pub texts: Vec<Option<Error>>,
    /// The texts that stand in no file, but are made or changed when the script runs.
    pub generated: Vec<Generated>,
}

/// A C text that stands in no file as it is compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The script.
    pub name: String,
    /// The line of the script that it was made from, when that can be told.
    pub line: Option<u32>,
    /// Its first line with something in it.
    pub first_line: String,
}

/// The options of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `-D…` and `-I…`, in the user's order, ahead of a script's own `cflags`.
    pub cflags: Vec<String>,
    /// A BTF file in place of the running kernel's.
    pub btf: Option<PathBuf>,
    /// A folder of kernel headers to compile against in place of type data.
    pub kernel_headers: Option<PathBuf>,
    /// Whether compiled objects are kept on disk and taken from there.
    pub use_cache: bool,
    /// How much to tell of what is done: 0 nothing, 1 mechanisms and cache hits, 2 timings too.
    pub verbosity: u8,
    /// Whether an error carries the verifier's whole log.
    pub verifier_log: bool,
    /// How kprobes attach for which the script names no mechanism.
    pub mechanism: Mechanism,
    /// Whether events become lines of JSON in place of being handed to the script's handlers.
    pub json: bool,
    /// What bcc-lua's command line said.
    pub bcc_lua: BccLua,
    /// Run or check.
    pub task: Task,
    /// Where lines for the user go that are not the script's output.
    pub notice: fn(&str),
    /// The entry of a pack that is run; none: the script's own head says it.
    pub entry: Option<PackEntry>,
    /// What `BPF.repl()` reads from.
    pub prompt: Option<Rc<dyn Prompt>>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            cflags: Vec::new(),
            btf: None,
            kernel_headers: None,
            use_cache: true,
            verbosity: 0,
            verifier_log: false,
            mechanism: Mechanism::Auto,
            json: false,
            bcc_lua: BccLua::default(),
            task: Task::Run,
            notice: |_| (),
            entry: None,
            prompt: None,
        }
    }
}

impl Settings {
    /// Tells the user a line when `-v` was given at least `level` times.
    pub fn tell(&self, level: u8, line: impl FnOnce() -> String) {
        if self.verbosity >= level {
            (self.notice)(&line());
        }
    }
}

/// The state behind the natives of one VM.
#[derive(Debug, Default)]
pub struct Host {
    /// The options of this run.
    pub settings: Settings,
    /// The main script, for error excerpts and for finding a C text's line in it.
    pub script: Script,
    /// The statements of a prompt by the names of their chunks.
    pub statements: HashMap<String, Script>,
    /// What a check found.
    pub checked: Checked,
    /// The C texts that a check came by.
    pub requests: RefCell<Vec<Request>>,
}

impl Host {
    /// The host of this VM.
    pub fn of(lua: &Lua) -> Result<AppDataRef<'_, Host>> {
        lua.app_data_ref::<Host>().ok_or_else(|| Error::bug("cannot reach the host's state", "it is not set"))
    }

    /// Notes the outcome of a C text that is only being checked.
    pub fn record_check(lua: &Lua, outcome: Option<Error>) -> Result<()> {
        let mut host =
            lua.app_data_mut::<Host>().ok_or_else(|| Error::bug("cannot note a check", "no state is set"))?;
        host.checked.texts.push(outcome);
        Ok(())
    }

    /// Notes a C text that stands in no file.
    pub fn record_generated(lua: &Lua, generated: Generated) -> Result<()> {
        let mut host =
            lua.app_data_mut::<Host>().ok_or_else(|| Error::bug("cannot note a check", "no state is set"))?;
        if !host.checked.generated.contains(&generated) {
            host.checked.generated.push(generated);
        }
        Ok(())
    }

    /// The main script or a statement of the prompt, by its name.
    pub fn text_of(&self, name: &str) -> Option<&Script> {
        Some(&self.script).filter(|script| script.name == name).or_else(|| self.statements.get(name))
    }

    /// A line of the user's, with its text when it is one of the main script.
    pub fn place(lua: &Lua, file: String, line: u32) -> Location {
        let mut location = Location::new(file, line, 0);
        let host = Host::of(lua).ok();
        let script = host.as_ref().and_then(|host| host.text_of(&location.file));
        if let Some(text) = script.and_then(|script| script.line(line)) {
            location.excerpt.push(excerpt(line, &text));
        }
        location
    }
}

/// One line of the user's text as an error shows it.
pub fn excerpt(line: u32, text: &str) -> String {
    format!("{line:>3} > {text}")
}
