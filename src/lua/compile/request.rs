// SPDX-License-Identifier: Apache-2.0
//! What is asked of the compiler and what comes back.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result, errno_words};

/// A C text to compile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The file that diagnostics speak of.
    pub name: String,
    /// The C text.
    pub text: String,
    /// Where the text's first byte is in that file, from 1.
    pub line: u32,
    /// The column of that byte, from 1.
    pub column: u32,
    /// The script's own `cflags`; those of the command line come before them.
    pub cflags: Vec<String>,
    /// Where `#include "…"` looks first.
    pub folder: Option<PathBuf>,
    /// The architecture to compile for, as `uname -m` names it; none: this machine's.
    pub arch: Option<&'static str>,
    /// Whether the object is to run on other kernels as well.
    pub portable: bool,
    /// Whether LLVM's form is to be shown.
    pub show_ir: bool,
    /// Whether the text behind the preprocessor is to be shown.
    pub show_preprocessed: bool,
}

impl Request {
    /// The whole of a C file.
    pub fn of_file(path: &Path) -> Result<Request> {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let errno = error.raw_os_error().unwrap_or_default();
            Error::script(format!("cannot read C file `{name}`"), errno_words(errno)).with_errno(errno)
        })?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::script(format!("cannot compile `{name}`"), "it is not UTF-8 text"))?;
        let folder = path.parent().map(Path::to_owned);
        Ok(Request { name, text, line: 1, column: 1, folder, ..Request::default() })
    }
}

/// A compiled C text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The ELF object.
    pub object: Vec<u8>,
    /// What the compiler remarked, each ready to be shown.
    pub warnings: Vec<String>,
    /// Whether it came out of the cache.
    pub from_cache: bool,
    /// LLVM's form, if it was wanted.
    pub ir: Option<String>,
    /// The text behind the preprocessor, if it was wanted.
    pub preprocessed: Option<String>,
}
