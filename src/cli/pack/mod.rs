// SPDX-License-Identifier: Apache-2.0
//! `bpflua pack` and `bpflua run`: arguments, what is printed, exit statuses. The rules are in `packs`.

mod able;
mod args;
mod build;
mod change;
mod check;
mod export;
mod run;
mod show;
mod sign;
mod test;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub use able::check as check_able;
pub use args::{PackCommand, RunArgs};
pub use run::{main as run, settings_of};

use super::args::Common;
use super::exit;
use crate::error::Result;
use crate::kernel::privilege::effective_uid;
use crate::packs::catalog::Catalog;
use crate::packs::policy::Policy;
use crate::packs::{installed, skeleton};

/// Does what the command says.
pub fn main(command: &PackCommand, common: &Common) -> ExitCode {
    let done = match command {
        PackCommand::Run(args) => return run(args, common),
        PackCommand::RunTest { pack, file } => return test::run_one(pack, file, common),
        PackCommand::Check { load, pack } => return check::main(pack, *load, common),
        PackCommand::Test { timeout, pack, only } => return test::main(pack, only, *timeout, common),
        PackCommand::New { folder } => new(folder),
        PackCommand::List { json } => show::list(*json),
        PackCommand::Info { pack } => show::info(pack),
        PackCommand::Search { words } => show::search(words),
        PackCommand::Install { how, versions, sources } => change::install(how, versions.as_deref(), sources),
        PackCommand::Uninstall { system, names } => change::uninstall(*system, names),
        PackCommand::Update { how, names } => change::update(how, names),
        PackCommand::Lock { update, from, folder } => change::lock(folder, from, *update),
        PackCommand::Export { output, to, pack } => export::main(pack, output.as_deref(), to.as_deref()),
        PackCommand::Build { output, kernel, folder } => build::main(folder, output.as_deref(), kernel, common),
        PackCommand::Sign { key, new_key, pack } => sign::main(key.as_deref(), new_key.as_deref(), pack.as_deref()),
        PackCommand::Verify { key, listing, pack } => sign::check(pack, key, *listing),
        PackCommand::Import { system, trust, file } => change::import(*system, trust, file),
    };
    done.map_or_else(|error| exit::failed(&error, common), |()| ExitCode::SUCCESS)
}

/// Where packs are looked for.
pub fn catalog() -> Catalog {
    let uid = effective_uid();
    Catalog { places: installed::places(&|name| std::env::var_os(name), uid), uid, limits: Policy::limits_of_machine() }
}

/// Where packs are installed.
fn place(system: bool) -> Result<PathBuf> {
    if system {
        return Ok(PathBuf::from(installed::OF_THE_MACHINE));
    }
    installed::place_to_install(&|name| std::env::var_os(name))
}

fn new(folder: &Path) -> Result<()> {
    let files = skeleton::make(folder)?;
    let shown = folder.display();
    let list: String = files.iter().map(|file| format!("  {shown}/{file}\n")).collect();
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = if folder.is_absolute() { shown.to_string() } else { format!("./{shown}") };
    let path = path.strip_prefix("././").map_or(path.clone(), |rest| format!("./{rest}"));
    exit::print(&format!(
        "made the pack `{name}`:\n{list}next: bpflua pack check {shown}\n      bpflua pack test {shown}\n      bpflua run {path}/{name}\n"
    ));
    Ok(())
}
