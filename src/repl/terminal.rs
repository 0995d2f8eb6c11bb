// SPDX-License-Identifier: Apache-2.0
//! The terminal itself: its size, its mode, and whether it can do what an editor needs.

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd as _;

/// What a terminal is taken to have that does not say.
const USUAL_SIZE: (u16, u16) = (80, 24);

/// Terminals that cannot move their cursor, as rustyline has it.
const UNABLE: [&str; 3] = ["dumb", "cons25", "emacs"];

/// Whether keys are read from a terminal that an editor can work on.
pub fn is_able() -> bool {
    let kind = std::env::var("TERM").unwrap_or_default();
    is_input_terminal() && !kind.is_empty() && !UNABLE.contains(&kind.to_ascii_lowercase().as_str())
}

/// Whether standard input is a terminal.
pub fn is_input_terminal() -> bool {
    // SAFETY: a plain call on a number.
    unsafe { libc::isatty(libc::STDIN_FILENO) == 1 }
}

/// The process's terminal, and the mode it had.
#[derive(Debug)]
pub struct Terminal {
    file: File,
    mode: libc::termios,
}

impl Terminal {
    /// Opens it.
    pub fn open() -> io::Result<Terminal> {
        let file = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
        let mut mode = MaybeUninit::uninit();
        // SAFETY: room for one mode, which is whole when the call succeeds.
        let mode = unsafe {
            if libc::tcgetattr(file.as_raw_fd(), mode.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
            mode.assume_init()
        };
        Ok(Terminal { file, mode })
    }

    /// For writing.
    pub fn writer(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: room for one size.
        let result = unsafe { libc::ioctl(self.file.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
        if result == 0 && size.ws_col > 0 && size.ws_row > 0 { (size.ws_col, size.ws_row) } else { USUAL_SIZE }
    }

    /// Sets the mode that it had when it was opened.
    pub fn reset(&self) {
        // SAFETY: the mode came from `tcgetattr`.
        unsafe { libc::tcsetattr(self.file.as_raw_fd(), libc::TCSADRAIN, &raw const self.mode) };
    }
}
