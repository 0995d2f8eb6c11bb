// SPDX-License-Identifier: Apache-2.0
//! `bpflua check`: compiles C files and the C texts of scripts, and shows what the compiler says.

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use super::args::Common;
use super::exit;
use super::settings::settings;
use crate::error::{Error, Result};
use crate::lua::compile::Request;
use crate::lua::{Script, Settings, Task, Vm, check_text};

/// Checks every file, whatever came of those before. Status 0 when all are good; else that of the gravest error.
pub fn main(files: &[PathBuf], load: bool, common: &Common) -> ExitCode {
    let settings = Settings { task: Task::Check { load }, ..settings(common) };
    let mut worst = 0;
    for file in files {
        for error in check(file, load, &settings) {
            exit::report(&error, common);
            worst = worst.max(error.kind().exit_status());
        }
    }
    ExitCode::from(worst)
}

/// The errors of one file.
fn check(file: &Path, load: bool, settings: &Settings) -> Vec<Error> {
    let is_lua = file.extension().is_some_and(|ending| ending == "lua") || starts_with_shebang(file);
    if !is_lua {
        return Request::of_file(file)
            .and_then(|request| check_text(&request, settings, load))
            .err()
            .into_iter()
            .collect();
    }
    match check_script(file, settings) {
        Ok(texts) => {
            if texts.is_empty() {
                exit::notice(&format!("`{}`: no `BPF{{…}}` was reached, nothing was compiled", file.display()));
            }
            texts.into_iter().flatten().collect()
        }
        Err(error) => vec![error],
    }
}

fn check_script(file: &Path, settings: &Settings) -> Result<Vec<Option<Error>>> {
    Ok(Vm::new(settings.clone())?.check(Script::read_file(file)?, &[])?.texts)
}

/// Scripts without an ending say what they are in their first line.
fn starts_with_shebang(file: &Path) -> bool {
    std::fs::read(file).is_ok_and(|text| text.starts_with(b"#!"))
}
