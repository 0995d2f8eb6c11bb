// SPDX-License-Identifier: Apache-2.0
//! The terminal itself: its size, its mode, and whether it can do what an editor needs.

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, RawFd};

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
        let mode = mode_of(&file).ok_or_else(io::Error::last_os_error)?;
        let terminal = Terminal { file, mode };
        // Ctrl-C would be echoed in front of what is printed next.
        let mut quiet = mode;
        quiet.c_lflag &= !libc::ECHOCTL;
        terminal.set(&quiet);
        Ok(terminal)
    }

    /// The mode that keys are read in, as rustyline sets it, for a terminal whose shell has set another one; false when
    /// it is set already.
    pub fn take_keys_again(&self) -> bool {
        let Some(mut mode) = mode_of(&self.file).filter(|mode| mode.c_lflag & libc::ICANON != 0) else { return false };
        mode.c_iflag &= !(libc::BRKINT | libc::ICRNL | libc::INPCK | libc::ISTRIP | libc::IXON);
        mode.c_cflag |= libc::CS8;
        mode.c_lflag &= !(libc::ECHO | libc::ICANON | libc::IEXTEN | libc::ISIG);
        (mode.c_cc[libc::VMIN], mode.c_cc[libc::VTIME]) = (1, 0);
        self.set(&mode);
        true
    }

    fn set(&self, mode: &libc::termios) {
        // SAFETY: the mode came from `tcgetattr`.
        unsafe { libc::tcsetattr(self.file.as_raw_fd(), libc::TCSADRAIN, mode) };
    }

    /// For writing.
    pub fn writer(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        size_of(self.file.as_raw_fd())
    }

    /// Sets the mode that it had when it was opened.
    pub fn reset(&self) {
        self.set(&self.mode);
    }

    /// The same terminal for another thread.
    pub fn try_clone(&self) -> io::Result<Terminal> {
        Ok(Terminal { file: self.file.try_clone()?, mode: self.mode })
    }
}

/// Columns and rows of the terminal that keys are read from.
pub fn input_size() -> (u16, u16) {
    size_of(libc::STDIN_FILENO)
}

fn size_of(fd: RawFd) -> (u16, u16) {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: room for one size.
    let result = unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, &raw mut size) };
    if result == 0 && size.ws_col > 0 && size.ws_row > 0 { (size.ws_col, size.ws_row) } else { USUAL_SIZE }
}

fn mode_of(file: &File) -> Option<libc::termios> {
    let mut mode = MaybeUninit::uninit();
    // SAFETY: room for one mode, which is whole when the call succeeds.
    unsafe { (libc::tcgetattr(file.as_raw_fd(), mode.as_mut_ptr()) == 0).then(|| mode.assume_init()) }
}
