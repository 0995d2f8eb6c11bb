// SPDX-License-Identifier: Apache-2.0
//! The command itself: picks what the arguments ask for, and runs scripts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;

use super::args::{Args, Command, Common};
use super::{check, compile, doctor, exit, types, version};
use crate::bpf::Mechanism;
use crate::error::Result;
use crate::kernel::headers::SOURCE_VARIABLE;
use crate::lua::{Script, Settings, Vm};

/// Runs the command with this process's arguments; the result is its exit status.
pub fn main() -> ExitCode {
    let args = match Args::parse_line(std::env::args_os()) {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    if args.version {
        return version::main();
    }
    match &args.command {
        Some(Command::Check { load, files }) => check::main(files, *load, &args.common),
        Some(Command::Compile { file, output }) => compile::main(file, output, &args.common),
        Some(Command::Types { script }) => types::main(script.as_deref(), &args.common),
        Some(Command::Doctor) => doctor::main(),
        None => run(&args),
    }
}

/// Shows clap's message: help and version on standard output, the rest on standard error with status 2.
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// The settings of a run with these options.
pub fn settings(common: &Common) -> Settings {
    Settings {
        cflags: common.cflags(),
        btf: common.btf.clone(),
        kernel_headers: common.kernel_headers.clone().or_else(headers_of_environment),
        use_cache: !common.no_cache,
        verbosity: common.verbose,
        verifier_log: common.verifier_log,
        notice: exit::notice,
        ..Settings::default()
    }
}

/// bcc's way to name a folder of kernel headers; empty is none.
fn headers_of_environment() -> Option<PathBuf> {
    std::env::var_os(SOURCE_VARIABLE).filter(|folder| !folder.is_empty()).map(PathBuf::from)
}

fn run(args: &Args) -> ExitCode {
    let Some((script, rest)) = script_of(args) else {
        exit::say(&Args::command().render_help().to_string());
        return ExitCode::from(2);
    };
    let end = script.and_then(|script| {
        let mechanism = args.mechanism.as_deref().map_or(Ok(Mechanism::Auto), Mechanism::parse)?;
        Vm::new(Settings { mechanism, json: args.json, ..settings(&args.common) })?.run(script, rest)
    });
    end.map_or_else(|error| exit::failed(&error, &args.common), exit::ended)
}

/// The script that the arguments name, and its own arguments.
fn script_of(args: &Args) -> Option<(Result<Script>, &[OsString])> {
    if let Some(text) = &args.execute {
        return Some((Ok(Script::from_argument(text)), &args.script));
    }
    let (name, rest) = args.script.split_first()?;
    let script = match name.to_str() {
        Some("-") => Script::read_stdin(),
        _ => Script::read_file(Path::new(name)),
    };
    Some((script, rest))
}
