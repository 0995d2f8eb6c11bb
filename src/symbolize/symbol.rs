// SPDX-License-Identifier: Apache-2.0
//! What is known of an address, and how bcc writes it.

use std::borrow::Cow;
use std::path::PathBuf;

use super::demangle::demangle;

/// A place in the source code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLine {
    /// The file, as the compiler was given it.
    pub file: PathBuf,
    /// The line, from 1; 0 when unknown.
    pub line: u32,
    /// The column, from 1; 0 when unknown.
    pub column: u32,
}

/// The function that an address lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name as it is in the file, not demangled.
    pub name: String,
    /// The address's distance from its start, in bytes.
    pub offset: u64,
    /// What it belongs to: a file as the process names it, `kernel`, a kernel module, `[vdso]`, a perf map.
    pub module: String,
}

/// An address without a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What it belongs to, if that is known.
    pub module: Option<String>,
    /// Why there is no name, in words.
    pub why: Cow<'static, str>,
}

impl Unknown {
    /// An address that belongs to nothing known.
    pub fn nowhere(why: impl Into<Cow<'static, str>>) -> Self {
        Unknown { module: None, why: why.into() }
    }

    /// An address in something known.
    pub fn within(module: &str, why: impl Into<Cow<'static, str>>) -> Self {
        Unknown { module: Some(module.to_owned()), why: why.into() }
    }
}

/// The answer for one address.
pub type Symbolized = Result<Found, Unknown>;

/// How an address is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// With the module's name in brackets.
    pub show_module: bool,
    /// With the distance from the function's start.
    pub show_offset: bool,
    /// With C++ and Rust names as the programmer wrote them.
    pub demangle: bool,
}

impl Found {
    /// The name as the programmer wrote it, if it is one of C++ or Rust.
    pub fn demangled(&self) -> Cow<'_, str> {
        demangle(&self.name)
    }
}

/// The text of an answer as bcc writes it: `name+0xoff [module]`, `[unknown] [module]`.
pub fn text(symbolized: &Symbolized, style: Style) -> String {
    let (mut text, module) = match symbolized {
        Ok(found) => {
            let name = if style.demangle { found.demangled() } else { Cow::Borrowed(found.name.as_str()) };
            let name = match style.show_offset {
                true => format!("{name}+{:#x}", found.offset),
                false => name.into_owned(),
            };
            (name, Some(&found.module))
        }
        Err(unknown) => ("[unknown]".to_owned(), unknown.module.as_ref()),
    };
    if let Some(module) = module.filter(|_| style.show_module) {
        text += &format!(" [{}]", base_name(module));
    }
    text
}

fn base_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Style = Style { show_module: true, show_offset: true, demangle: true };

    fn found(name: &str, offset: u64, module: &str) -> Symbolized {
        Ok(Found { name: name.to_owned(), offset, module: module.to_owned() })
    }

    #[test]
    fn the_forms_of_bcc() {
        assert_eq!(text(&found("default_idle", 0, "kernel"), ALL), "default_idle+0x0 [kernel]");
        let thread = found("start_thread", 0x202, "/lib/x/libpthread-2.24.so");
        assert_eq!(text(&thread, ALL), "start_thread+0x202 [libpthread-2.24.so]");
        assert_eq!(text(&thread, Style::default()), "start_thread");
        assert_eq!(text(&thread, Style { show_offset: true, ..Style::default() }), "start_thread+0x202");
        assert_eq!(text(&found("gettimeofday", 1, "[vdso]"), ALL), "gettimeofday+0x1 [[vdso]]");
        assert_eq!(text(&found("_Z3addii", 4, "/bin/x"), ALL), "add(int, int)+0x4 [x]");
        let mangled = Style { demangle: false, ..ALL };
        assert_eq!(text(&found("_Z3addii", 4, "/bin/x"), mangled), "_Z3addii+0x4 [x]");
    }

    #[test]
    fn the_unknown() {
        assert_eq!(text(&Err(Unknown::nowhere("")), ALL), "[unknown]");
        let within = Err(Unknown::within("/usr/lib/libx.so", "it has no symbols"));
        assert_eq!(text(&within, ALL), "[unknown] [libx.so]");
        assert_eq!(text(&within, Style::default()), "[unknown]");
    }
}
