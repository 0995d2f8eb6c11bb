// SPDX-License-Identifier: Apache-2.0
//! From outcomes to exit statuses, and the one place where errors are written.

use std::io::{IsTerminal as _, Write};
use std::process::ExitCode;

use super::args::Common;
use crate::colour;
use crate::error::Error;
use crate::lua::End;

/// What a shell expects of a process that Ctrl-C ended: 128 + SIGINT.
const INTERRUPTED: u8 = 130;

/// Writes the error's report to standard error; the result is the exit status of its kind.
pub fn failed(error: &Error, common: &Common) -> ExitCode {
    report(error, common);
    ExitCode::from(error.kind().exit_status())
}

/// Writes the error's report, and the verifier's whole log when that was asked for.
pub fn report(error: &Error, common: &Common) {
    let is_coloured = colour::is_wanted() && std::io::stderr().is_terminal();
    let report = if is_coloured { colour::report(&error.report()) } else { error.report() };
    match error.log().filter(|_| common.verifier_log) {
        Some(log) => say(&format!("{report}verifier log:\n{}\n", log.trim_end())),
        None => say(&report),
    }
}

/// The exit status of a script that ended without an error.
pub fn ended(end: End) -> ExitCode {
    match end {
        End::BrokenPipe => ExitCode::SUCCESS,
        End::Exit(status) => ExitCode::from(status),
        End::Interrupted => ExitCode::from(INTERRUPTED),
    }
}

/// Writes text to standard error. Nobody is left to tell when that fails.
pub fn say(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Writes text to standard output. A reader that went away has read enough.
pub fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

/// Writes a line for the user, of what is done and how (`-v`).
pub fn notice(line: &str) {
    say(&format!("bpflua: {line}\n"));
}
