// SPDX-License-Identifier: Apache-2.0
//! The interface of a build without the compiler.

use super::place::{CPlace, CWords};
use super::request::{Compiled, Request};
use crate::error::{Error, Result};
use crate::lua::Settings;

/// Fails: there is nothing to compile with.
pub fn compile(request: &Request, _settings: &Settings) -> Result<Compiled> {
    Err(Error::machine(format!("cannot compile the C text of `{}`", request.name), "this build has no compiler")
        .with_note("it was built without the feature `compiler`; it runs objects that were compiled before"))
}

/// Knows no words.
pub fn complete_c(_place: &CPlace, _settings: &Settings) -> Result<CWords> {
    Ok((None, Vec::new()))
}

/// The version of the compiler, if there is one.
pub fn version() -> Option<String> {
    None
}
