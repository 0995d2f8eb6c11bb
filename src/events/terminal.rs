// SPDX-License-Identifier: Apache-2.0
//! The terminal of a live view: keys one by one without echo, another screen than the one with the scrolled lines, its
//! size. Dropping it puts everything back.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd};

const PATH: &str = "/dev/tty";
/// Another screen, no cursor; and back.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l";
const LEAVE: &[u8] = b"\x1b[?25h\x1b[?1049l";

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Cells of a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

/// The terminal of this process, taken over.
#[derive(Debug)]
pub struct LiveTerminal {
    terminal: File,
    before: libc::termios,
}

impl LiveTerminal {
    /// Takes the terminal; an error when this process has none.
    pub fn open() -> io::Result<LiveTerminal> {
        let mut terminal = File::options().read(true).write(true).open(PATH)?;
        let before = modes(terminal.as_fd())?;
        let mut raw = before;
        // Keys at once, Ctrl-C among them; a read gives what is there and never waits.
        raw.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ISIG | libc::IEXTEN);
        raw.c_iflag &= !(libc::IXON | libc::ICRNL);
        raw.c_cc[libc::VMIN] = 0;
        raw.c_cc[libc::VTIME] = 0;
        set_modes(terminal.as_fd(), &raw)?;
        terminal.write_all(ENTER)?;
        Ok(LiveTerminal { terminal, before })
    }

    /// The keys that were pressed, as bytes.
    pub fn keys(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = [0; 64];
        let count = self.terminal.read(&mut bytes)?;
        Ok(bytes[..count].to_vec())
    }

    /// Writes to the screen.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.terminal.write_all(bytes)
    }

    /// Its size now.
    pub fn size(&self) -> Option<Size> {
        size_of_terminal(self.terminal.as_fd())
    }
}

impl AsFd for LiveTerminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.terminal.as_fd()
    }
}

impl Drop for LiveTerminal {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing put back.
        let _ = self.terminal.write_all(LEAVE);
        let _ = set_modes(self.terminal.as_fd(), &self.before);
    }
}

/// The size of the terminal that standard output is; nothing when it is none.
pub fn output_size() -> Option<Size> {
    size_of_terminal(io::stdout().as_fd())
}

/// The size of this process's terminal, whatever its output is.
pub fn size() -> Option<Size> {
    size_of_terminal(File::open(PATH).ok()?.as_fd())
}

fn size_of_terminal(terminal: BorrowedFd<'_>) -> Option<Size> {
    // SAFETY: a `winsize` of zeros is valid.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    // SAFETY: the request writes a `winsize` to the place given.
    let ret = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (ret == 0 && size.ws_col > 0).then_some(Size { columns: size.ws_col, rows: size.ws_row })
}

fn modes(terminal: BorrowedFd<'_>) -> io::Result<libc::termios> {
    // SAFETY: a `termios` of zeros is valid.
    let mut modes: libc::termios = unsafe { std::mem::zeroed() };
    // SAFETY: the call writes a `termios` to the place given.
    match unsafe { libc::tcgetattr(terminal.as_raw_fd(), &raw mut modes) } {
        0 => Ok(modes),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set_modes(terminal: BorrowedFd<'_>, modes: &libc::termios) -> io::Result<()> {
    // SAFETY: the call reads a `termios` at the place given.
    match unsafe { libc::tcsetattr(terminal.as_raw_fd(), libc::TCSADRAIN, modes) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
