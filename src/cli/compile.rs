// SPDX-License-Identifier: Apache-2.0
//! `bpflua compile`: a C file to a portable object.

use std::path::Path;
use std::process::ExitCode;

use super::args::Common;
use super::exit;
use super::settings::settings;
use crate::error::{Error, Result, errno_words};
use crate::lua::compile::{self, Request};

/// Compiles `file` and writes the object to `output`.
pub fn main(file: &Path, output: &Path, common: &Common) -> ExitCode {
    compile(file, output, common).map_or_else(|error| exit::failed(&error, common), |()| ExitCode::SUCCESS)
}

fn compile(file: &Path, output: &Path, common: &Common) -> Result<()> {
    let request = Request { portable: true, ..Request::of_file(file)? };
    let compiled = compile::compile(&request, &settings(common))?;
    compiled.warnings.iter().for_each(|warning| exit::notice(warning.trim_end()));
    std::fs::write(output, &compiled.object).map_err(|error| {
        let errno = error.raw_os_error().unwrap_or_default();
        Error::script(format!("cannot write object `{}`", output.display()), errno_words(errno)).with_errno(errno)
    })
}
