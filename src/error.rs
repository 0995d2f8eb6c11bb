// SPDX-License-Identifier: Apache-2.0
//! The one error type of bpflua, and how it is written for a person.
//!
//! An [`Error`] is data, not a sentence: what could not be done (with the user's own name for it), why in words, the
//! errno, where in the user's files, the evidence in few lines, and hints of one action each. Rooms fill it in as far
//! as they know; callers add what they know with the `with_*` methods; only `cli` prints it.
//!
//! ```
//! use bpflua::error::Error;
//! let err = Error::machine("cannot attach kprobe to `vfs_raed`", "no such function in this kernel")
//!     .with_errno(2)
//!     .with_evidence("searched: 201334 kallsyms names")
//!     .with_hint("similar: vfs_read, vfs_readv");
//! assert_eq!(err.to_string(), "cannot attach kprobe to `vfs_raed`: no such function in this kernel (ENOENT)");
//! assert_eq!(err.report(), "\
//! error: cannot attach kprobe to `vfs_raed`: no such function in this kernel (ENOENT)
//!   searched: 201334 kallsyms names
//! hint: similar: vfs_read, vfs_readv
//! ");
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

/// The result of anything in bpflua that can fail for a reason worth telling.
pub type Result<T> = std::result::Result<T, Error>;

/// Whose fault it is; decides the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// The user's script, C text or command line. Exit status 1.
    Script,
    /// This machine: a missing feature, permission or file. Exit status 3.
    Machine,
    /// bpflua itself. Exit status 70 (`EX_SOFTWARE` of sysexits.h).
    Bug,
}

impl Kind {
    /// The exit status of a process that ends with an error of this kind.
    pub fn exit_status(self) -> u8 {
        match self {
            Kind::Script => 1,
            Kind::Machine => 3,
            Kind::Bug => 70,
        }
    }
}

/// A place in one of the user's files. Lines and columns count from 1; 0 means unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The file as the user names it.
    pub file: String,
    /// Line, from 1; 0 when unknown.
    pub line: u32,
    /// Column in bytes, from 1; 0 when unknown.
    pub column: u32,
    /// What is said of this place, in words; may be empty.
    pub message: String,
    /// Source lines around the place, ready to print, without a newline at the end.
    pub excerpt: Vec<String>,
}

impl Location {
    /// A place without a message or an excerpt.
    pub fn new(file: impl Into<String>, line: u32, column: u32) -> Self {
        Location { file: file.into(), line, column, message: String::new(), excerpt: Vec::new() }
    }

    /// The same place with words about it.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.line > 0 && self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Inner {
    kind: Kind,
    what: String,
    why: String,
    errno: Option<i32>,
    locations: Vec<Location>,
    evidence: Vec<String>,
    hints: Vec<String>,
    notes: Vec<String>,
    log: Option<String>,
}

/// What went wrong, as data. Boxed, so that a `Result` stays small.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Error(Box<Inner>);

impl Error {
    fn new(kind: Kind, what: impl Into<String>, why: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            what: what.into(),
            why: why.into(),
            errno: None,
            locations: Vec::new(),
            evidence: Vec::new(),
            hints: Vec::new(),
            notes: Vec::new(),
            log: None,
        }))
    }

    /// An error in what the user wrote: script, C text, option, name.
    pub fn script(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(Kind::Script, what, why)
    }

    /// An error that this machine gives: a feature, permission or file it lacks.
    pub fn machine(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(Kind::Machine, what, why)
    }

    /// A fault in bpflua. The report asks for an issue to be filed.
    pub fn bug(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(Kind::Bug, what, why).with_note("this is a bug in bpflua; please report it with the text above")
    }

    /// A machine error for a failed system call or file operation; the errno comes from `source`.
    pub fn io(what: impl Into<String>, source: &std::io::Error) -> Self {
        match source.raw_os_error() {
            Some(errno) => Self::machine(what, errno_words(errno)).with_errno(errno),
            None => Self::machine(what, source.to_string()),
        }
    }

    /// Adds the errno (positive) that the reason came with.
    #[must_use]
    pub fn with_errno(mut self, errno: i32) -> Self {
        self.0.errno = Some(errno.abs());
        self
    }

    /// Adds a place in the user's files; the first added is the one that is shown first.
    #[must_use]
    pub fn with_location(mut self, location: Location) -> Self {
        self.0.locations.push(location);
        self
    }

    /// Adds a line of evidence: what was looked at and what it said.
    #[must_use]
    pub fn with_evidence(mut self, line: impl Into<String>) -> Self {
        self.0.evidence.push(line.into());
        self
    }

    /// Adds one action the user can take. Only what was checked to be true on this machine.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Adds a remark that asks for no action.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.0.notes.push(note.into());
        self
    }

    /// Adds the error behind this one: its headline and evidence become evidence, its hints hints.
    #[must_use]
    pub fn with_cause(mut self, cause: &Error) -> Self {
        self.0.evidence.push(cause.to_string());
        self.0.evidence.extend(cause.0.evidence.iter().cloned());
        self.0.hints.extend(cause.0.hints.iter().cloned());
        self
    }

    /// Keeps a long log (the verifier's) that is shown on request only.
    #[must_use]
    pub fn with_log(mut self, log: impl Into<String>) -> Self {
        self.0.log = Some(log.into());
        self
    }

    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What could not be done.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// Why, in words.
    pub fn why(&self) -> &str {
        &self.0.why
    }

    /// The errno, positive, when a system call gave one.
    pub fn errno(&self) -> Option<i32> {
        self.0.errno
    }

    /// The places in the user's files, the most telling first.
    pub fn locations(&self) -> &[Location] {
        &self.0.locations
    }

    /// The same, to be completed by whoever knows more of the places.
    pub fn locations_mut(&mut self) -> &mut [Location] {
        &mut self.0.locations
    }

    /// The hints, one action each.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// The whole log behind the error, when there is one.
    pub fn log(&self) -> Option<&str> {
        self.0.log.as_deref()
    }

    /// The whole report as a person reads it: headline, places, evidence, hints, notes; ends with a newline.
    pub fn report(&self) -> String {
        let inner = &self.0;
        let mut text = format!("error: {self}\n");
        for location in &inner.locations {
            text += &format!("  --> {location}\n");
            for line in &location.excerpt {
                text += &format!(" {line}\n");
            }
        }
        for line in &inner.evidence {
            text += &format!("  {line}\n");
        }
        for hint in &inner.hints {
            text += &format!("hint: {hint}\n");
        }
        for note in &inner.notes {
            text += &format!("note: {note}\n");
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)?;
        if !self.0.why.is_empty() {
            write!(f, ": {}", self.0.why)?;
        }
        if let Some(errno) = self.0.errno {
            write!(f, " ({})", errno_name(errno))?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// The symbolic name of an errno (`ENOENT`), or `errno N` for one without a name.
pub fn errno_name(errno: i32) -> String {
    match syscalls::Errno::new(errno.abs()).name() {
        Some(name) => name.to_owned(),
        None => format!("errno {}", errno.abs()),
    }
}

/// What an errno means in words, lower case, without the number (`no such file or directory`).
pub fn errno_words(errno: i32) -> String {
    match syscalls::Errno::new(errno.abs()).description() {
        Some(words) => {
            let mut chars = words.chars();
            chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
        }
        None => format!("error number {}", errno.abs()),
    }
}
