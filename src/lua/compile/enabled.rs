// SPDX-License-Identifier: Apache-2.0
//! The interface of a build with the compiler.

use std::sync::Arc;

use super::request::{Compiled, Request};
use crate::compiler;
use crate::error::Result;
use crate::kernel::btf::Btf;
use crate::kernel::release::Release;
use crate::kernel::tracefs::Tracefs;
use crate::lua::Settings;

/// Compiles a C text for this machine, or for the one whose types were given.
pub fn compile(request: &Request, settings: &Settings) -> Result<Compiled> {
    let btf = match &settings.btf {
        Some(path) => Btf::open(path)?,
        None => Btf::kernel()?,
    };
    let tracefs = Tracefs::open().ok();
    let tracepoint_format = |category: &str, event: &str| {
        Some(tracefs.as_ref()?.format(category, event).ok()?.c_struct())
    };
    let options = compiler::Options {
        flags: settings.cflags.iter().chain(&request.cflags).cloned().collect(),
        include_dirs: request.folder.iter().cloned().collect(),
        btf: Some(Arc::new(btf)),
        tracepoint_format: &tracepoint_format,
        kernel_version_code: Release::running().version_code(),
        cache: if settings.use_cache { compiler::CacheDir::of_user() } else { None },
        ..compiler::Options::default()
    };
    let source = compiler::Source {
        name: request.name.clone(),
        text: request.text.clone(),
        first_line: request.line,
        first_column: request.column,
    };
    let compiled = compiler::compile(&source, &options)?;
    Ok(Compiled {
        object: compiled.object,
        warnings: compiled.warnings.iter().map(|warning| warning.render()).collect(),
        from_cache: compiled.from_cache,
    })
}

/// The version of the compiler, if there is one.
pub fn version() -> Option<String> {
    Some(compiler::version())
}
