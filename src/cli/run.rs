// SPDX-License-Identifier: Apache-2.0
//! The command itself: picks what the arguments ask for, and runs scripts.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use super::args::{Args, Command};
use super::settings::settings;
use super::{bcc_lua, check, compile, completions, doctor, exit, list, pack, types, version};
use crate::bpf::Mechanism;
use crate::error::Result;
use crate::lua::prompt::Prompt;
use crate::lua::{BccLua, End, Script, Settings, Vm};
use crate::packs::catalog::Tool;
use crate::packs::is_name;
use crate::repl::{Repl, is_input_terminal};
use crate::timings;

/// Runs the command with this process's arguments; the result is its exit status.
pub fn main() -> ExitCode {
    let line = bcc_lua::read(std::env::args_os());
    let args = match Args::parse_line(line.words) {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    if args.common.verbose > 1 {
        timings::start();
    }
    let bcc_lua = BccLua { called: line.called, llvm_debug: line.llvm_debug };
    if args.version {
        return version::main();
    }
    let status = command(&args, bcc_lua);
    // Nothing of ours is left when the command ends, and who measures it counts what its compilers took.
    #[cfg(feature = "compiler")]
    crate::compiler::await_ends();
    status
}

fn command(args: &Args, bcc_lua: BccLua) -> ExitCode {
    match &args.command {
        Some(Command::Check { load, files }) => check::main(files, *load, &args.common),
        Some(Command::Compile { file, output }) => compile::main(file, output, &args.common),
        Some(Command::Types { script }) => types::main(script.as_deref(), &args.common),
        Some(Command::List { pattern, pid, long }) => list::main(pattern, *pid, *long, &args.common),
        Some(Command::Completions { at, words }) => completions::main(*at, words),
        Some(Command::Doctor) => doctor::main(),
        Some(Command::Run(tool)) => pack::run(tool, &args.common),
        Some(Command::Pack { command }) => pack::main(command, &args.common),
        None => run_or_interact(args, bcc_lua).map_or_else(|error| exit::failed(&error, &args.common), exit::ended),
    }
}

/// Shows clap's message: help and version on standard output, the rest on standard error with status 2.
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Runs the script that the arguments name. Without one there is a prompt on a terminal, and what comes from a pipe or a
/// file is a script.
fn run_or_interact(args: &Args, bcc_lua: BccLua) -> Result<End> {
    let mechanism = args.mechanism.as_deref().map_or(Ok(Mechanism::Auto), Mechanism::parse)?;
    let repl: Rc<dyn Prompt> = Rc::new(Repl::default());
    let settings = Settings { mechanism, json: args.json, bcc_lua, prompt: Some(repl), ..settings(&args.common) };
    if let Some(tool) = tool_of(args)? {
        pack::check_able(&tool)?;
        let (settings, script) = pack::settings_of(tool, settings);
        return Vm::new(settings)?.run(script, &args.script[1..]);
    }
    let (script, rest) = match script_of(args) {
        Some((script, rest)) => (Some(script?), rest),
        None if args.interactive || is_input_terminal() => (None, &[][..]),
        None => (Some(Script::read_stdin()?), &[][..]),
    };
    let vm = Vm::new(settings)?;
    match script {
        Some(script) if !args.interactive => vm.run(script, rest),
        script => vm.interact(script, rest),
    }
}

/// The tool that the arguments name: a word that is no path. A file of that name is reached by `./NAME`.
fn tool_of(args: &Args) -> Result<Option<Tool>> {
    let name = args.script.first().and_then(|name| name.to_str());
    match name.filter(|name| args.execute.is_none() && !name.contains(['/', '.'])) {
        Some(name) => pack::catalog().tool(name),
        None => Ok(None),
    }
}

/// The script that the arguments name, and its own arguments.
fn script_of(args: &Args) -> Option<(Result<Script>, &[OsString])> {
    if let Some(text) = &args.execute {
        return Some((Ok(Script::from_argument(text)), &args.script));
    }
    let (name, rest) = args.script.split_first()?;
    let script = match name.to_str() {
        Some("-") => Script::read_stdin(),
        Some(word) if is_name(word) => Script::read_file(Path::new(name))
            .map_err(|error| error.with_evidence(format!("no tool of a pack is called `{word}`, either"))),
        _ => Script::read_file(Path::new(name)),
    };
    Some((script, rest))
}
