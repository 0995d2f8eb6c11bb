// SPDX-License-Identifier: Apache-2.0
//! Programs that a prompt starts: a shell's commands and the user's editor.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};

use mlua::{AnyUserData, BString, Lua, Table, UserData};

use crate::error::{Error, Result};
use crate::lua::errors::{Natives, from_mlua};

/// A process that was started, and a descriptor that is readable when it ended.
#[derive(Debug)]
pub struct ProcessValue {
    pid: libc::pid_t,
    ended: OwnedFd,
}

impl UserData for ProcessValue {}

/// `native.shell`: `start(line, is_background, on_terminal)`, `pid(process)`, `fd(process)`, `finish(process)`,
/// `scratch(ending, text)`, `remove(path)`.
pub fn table(lua: &Lua) -> mlua::Result<Table> {
    let natives = Natives::new(lua)?;
    natives.add("start", "!", |_, (line, is_background, on_terminal): (BString, bool, bool)| {
        start(&line, is_background, on_terminal)
    })?;
    natives.add("pid", "!", |_, process: AnyUserData| with(&process, |process| Ok(process.pid)))?;
    natives.add("fd", "!", |_, process: AnyUserData| with(&process, |process| Ok(process.ended.as_raw_fd())))?;
    natives.add("finish", "!", |_, process: AnyUserData| with(&process, finish))?;
    natives.add("scratch", ":edit", |_, (ending, text): (String, BString)| scratch(&ending, &text))?;
    natives.add("remove", ":edit", |_, path: String| {
        // What is gone already is fine.
        let _ = std::fs::remove_file(path);
        Ok(())
    })?;
    Ok(natives.into_table())
}

fn with<R>(process: &AnyUserData, body: impl FnOnce(&ProcessValue) -> Result<R>) -> Result<R> {
    body(&*process.borrow::<ProcessValue>().map_err(|error| from_mlua("!", &error))?)
}

/// Starts a shell's command. In the foreground it has the terminal, whatever our own output is; in the background it is
/// a group of its own, which Ctrl-C does not reach, and reads nothing.
fn start(line: &[u8], is_background: bool, on_terminal: bool) -> Result<ProcessValue> {
    use std::os::unix::ffi::OsStrExt as _;
    let what = || format!("cannot start `{}`", String::from_utf8_lossy(line));
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(std::ffi::OsStr::from_bytes(line));
    if is_background {
        command.process_group(0).stdin(Stdio::null());
    } else if let Some(terminal) =
        OpenOptions::new().read(true).write(true).open("/dev/tty").ok().filter(|_| on_terminal)
    {
        let copy = terminal.try_clone().map_err(|error| Error::io(what(), &error))?;
        command.stdout(terminal).stderr(copy);
    }
    let child = command.spawn().map_err(|error| Error::io(what(), &error))?;
    let pid = child.id() as libc::pid_t;
    // SAFETY: a plain call; the descriptor that comes of it is nobody else's.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    if fd < 0 {
        return Err(Error::io(what(), &io::Error::last_os_error()));
    }
    // SAFETY: as above. The kernel closes it on exec.
    let ended = unsafe { OwnedFd::from_raw_fd(fd as RawFd) };
    Ok(ProcessValue { pid, ended })
}

/// How it ended, once it has: its exit status, or none and the signal.
fn finish(process: &ProcessValue) -> Result<(Option<i32>, Option<i32>)> {
    let mut status = 0;
    // SAFETY: our own child; the status is ours.
    let pid = unsafe { libc::waitpid(process.pid, &raw mut status, 0) };
    if pid < 0 {
        return Err(Error::io("cannot tell how the process ended", &io::Error::last_os_error()));
    }
    let status = ExitStatus::from_raw(status);
    Ok((status.code(), status.signal()))
}

/// A file of the user's own that nobody else reads, with a text in it; its path.
fn scratch(ending: &str, text: &[u8]) -> Result<String> {
    let folder = std::env::temp_dir();
    let template = CString::new(format!("{}/bpflua-XXXXXX{ending}", folder.display())).unwrap_or_default();
    let mut template = template.into_bytes_with_nul();
    // SAFETY: a string that ends with NUL, which the call writes its letters into; the descriptor is nobody else's.
    let fd = unsafe { libc::mkstemps(template.as_mut_ptr().cast(), ending.len() as libc::c_int) };
    let what = || format!("cannot write a file in `{}`", folder.display());
    if fd < 0 {
        return Err(Error::io(what(), &io::Error::last_os_error()));
    }
    // SAFETY: as above.
    let mut file = unsafe { File::from_raw_fd(fd) };
    file.write_all(text).map_err(|error| Error::io(what(), &error))?;
    template.pop();
    Ok(String::from_utf8_lossy(&template).into_owned())
}
