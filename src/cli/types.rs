// SPDX-License-Identifier: Apache-2.0
//! `bpflua types`: type stubs for editors.

use std::path::Path;
use std::process::ExitCode;

use super::args::Common;
use super::exit;
use super::settings::settings;
use crate::error::Result;
use crate::lua::{Script, Settings, Task, Vm};

/// Prints the stubs of bpflua, or of a script's maps and events.
pub fn main(script: Option<&Path>, common: &Common) -> ExitCode {
    match text(script, common) {
        Ok(text) => {
            exit::print(&text);
            ExitCode::SUCCESS
        }
        Err(error) => exit::failed(&error, common),
    }
}

fn text(script: Option<&Path>, common: &Common) -> Result<String> {
    let settings = Settings { task: Task::Types, ..settings(common) };
    Vm::new(settings)?.types(script.map(Script::read_file).transpose()?)
}
