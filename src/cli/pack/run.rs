// SPDX-License-Identifier: Apache-2.0
//! `bpflua run PACK/TOOL -- ARGS`: a tool of an installed pack, or of a folder that somebody is working on.

use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use super::args::RunArgs;
use super::{able, catalog};
use crate::cli::args::Common;
use crate::cli::exit;
use crate::cli::settings::settings;
use crate::error::{Error, Result};
use crate::lua::prompt::Prompt;
use crate::lua::{End, PackEntry, Script, Settings, Vm};
use crate::packs::catalog::{Catalog, EMBEDDED, Tool};
use crate::packs::is_name;
use crate::repl::Repl;

/// Runs the tool.
pub fn main(args: &RunArgs, common: &Common) -> ExitCode {
    run_tool(args, common).map_or_else(|error| exit::failed(&error, common), exit::ended)
}

fn run_tool(args: &RunArgs, common: &Common) -> Result<End> {
    let tool = find(&args.tool, &catalog())?;
    able::check(&tool)?;
    let prompt: Rc<dyn Prompt> = Rc::new(Repl::default());
    let settings = Settings { prompt: Some(prompt), ..settings(common) };
    let (settings, script) = settings_of(tool, settings);
    let own = args.args.iter().position(|arg| arg == "--").filter(|at| *at == 0).map_or(0, |at| at + 1);
    Vm::new(settings)?.run(script, &args.args[own..])
}

/// The settings with which a tool runs, and its script.
pub fn settings_of(tool: Tool, settings: Settings) -> (Settings, Script) {
    let is_part = tool.path.is_none();
    let script = Script { name: tool.file, text: tool.text, path: tool.path };
    let entry = PackEntry {
        name: tool.name,
        pack: tool.pack.name,
        version: Some(tool.pack.version),
        entry: tool.entry,
        // Also while somebody works on it, and those that come with bpflua.
        is_held: true,
        is_part,
        built: tool.built,
        packs: tool.packs,
    };
    (Settings { entry: Some(entry), ..settings }, script)
}

/// The tool that a word names: `PACK/TOOL`, `PACK` with one tool; with a path, a folder or a Lua file.
fn find(word: &str, catalog: &Catalog) -> Result<Tool> {
    let is_path = word.starts_with(['.', '/']) || word.ends_with(".lua");
    if is_path {
        return in_folder(Path::new(word), catalog);
    }
    match word.split_once('/') {
        Some((pack, tool)) if is_name(pack) && is_name(tool) => catalog.tool_of(pack, tool),
        None if is_name(word) => only_tool(word, catalog),
        _ => Err(Error::script(format!("cannot run `{word}`"), "it is neither `PACK/TOOL` nor a path")
            .with_hint("a path begins with `./` or `/`")),
    }
}

/// The tool of a pack that has one, or the one that is called as its pack.
fn only_tool(pack: &str, catalog: &Catalog) -> Result<Tool> {
    let names = match catalog.all()?.iter().find(|installed| installed.name == pack) {
        Some(installed) => catalog.tools_of(installed),
        None if pack == EMBEDDED => crate::packs::catalog::embedded_names(),
        None => return Err(catalog.no_pack(pack)),
    };
    match names.as_slice() {
        [only] => catalog.tool_of(pack, only),
        names if names.iter().any(|name| name == pack) => catalog.tool_of(pack, pack),
        names => {
            let error = Error::script(format!("cannot run `{pack}`"), "it has several tools, or none");
            Err(names.iter().take(8).fold(error, |error, name| error.with_hint(format!("`bpflua run {pack}/{name}`"))))
        }
    }
}

/// The tool at a path: that of a pack's folder with its name behind it, or the only one of a folder or file.
fn in_folder(path: &Path, catalog: &Catalog) -> Result<Tool> {
    if path.is_dir() || path.is_file() && path.extension().is_some_and(|ending| ending == "lua") {
        return catalog.tool_to_run_in(path, None);
    }
    let name = path.file_name().and_then(|name| name.to_str());
    match (path.parent().filter(|folder| folder.is_dir()), name) {
        (Some(folder), Some(name)) => catalog.tool_to_run_in(folder, Some(name)),
        _ => Err(Error::script(format!("cannot run `{}`", path.display()), "there is no such folder")),
    }
}
