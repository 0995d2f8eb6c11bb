// SPDX-License-Identifier: Apache-2.0
//! trace_pipe: what `bpf_trace_printk` writes, line by line.
//!
//! The file is read without blocking, at the pace of the loop's looks. Neither of the other ways works: `poll` on
//! trace_pipe waits until its buffer is half full (42fb0a1e84ff "tracing/ring-buffer: Have polling block on
//! watermark"), and a blocking `read` could miss the stop that comes just before it.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::pace::flush_ns;
use super::trace_line::{self, TraceFields, TraceLine};
use super::{stop, sys};
use crate::error::{Error, Result};

/// The kernel hands out whole lines, at most two pages of them per read.
const BUFFER: usize = 64 << 10;

/// The reader of trace_pipe, or of a file like it.
#[derive(Debug)]
pub struct TracePipe {
    file: File,
    /// Lines not taken yet are at `start..end`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Inside a line that was too long.
    skipping: bool,
    /// The end of a plain file: nothing will follow.
    ended: bool,
    plain_file: bool,
    /// Lines that could not be understood.
    pub malformed: u64,
    /// Events that the kernel says it dropped.
    pub lost: u64,
}

impl TracePipe {
    /// Opens the file. Only one reader at a time gets trace_pipe's lines.
    pub fn open(path: &Path) -> Result<Self> {
        let opened = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path);
        let file = opened.map_err(|err| {
            let error = Error::io(format!("cannot open `{}`", path.display()), &err);
            match err.raw_os_error() {
                Some(libc::EBUSY) => error.with_note("another program is reading it, and only one can"),
                _ => error,
            }
        })?;
        let plain_file = file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0);
        Ok(TracePipe {
            file,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            skipping: false,
            ended: false,
            plain_file,
            malformed: 0,
            lost: 0,
        })
    }

    /// Whether a whole line is there.
    pub fn has_line(&self) -> bool {
        self.buffer[self.start..self.end].contains(&b'\n') || (self.ended && self.start < self.end)
    }

    /// Whether there will never be another line.
    pub fn has_ended(&self) -> bool {
        self.ended && self.start == self.end
    }

    /// Reads what there is, without waiting. Returns whether a whole line is there.
    pub fn fill(&mut self) -> Result<bool> {
        self.make_room();
        match sys::read(self.file.as_raw_fd(), &mut self.buffer[self.end..]) {
            Ok(0) => self.ended = self.plain_file,
            Ok(n) => {
                self.end += n;
                self.skip_long_line();
            }
            Err(err) if matches!(err.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(err) => return Err(Error::io("cannot read trace_pipe", &err)),
        }
        Ok(self.has_line())
    }

    /// The next line without its newline, if a whole one is there.
    pub fn next_line(&mut self) -> Option<&[u8]> {
        let rest = &self.buffer[self.start..self.end];
        let len = match rest.iter().position(|&byte| byte == b'\n') {
            Some(len) => len,
            None if self.ended && !rest.is_empty() => rest.len(),
            None => return None,
        };
        let start = self.start;
        self.start = (start + len + 1).min(self.end);
        Some(&self.buffer[start..start + len])
    }

    /// The next event, if one is there; other lines are counted and skipped.
    pub fn next_event(&mut self) -> Option<TraceFields<'_>> {
        // Two steps, and the line parsed twice: a loop cannot return what it borrowed in one of its rounds.
        let (start, end) = self.skip_to_event()?;
        match trace_line::parse(&self.buffer[start..end]) {
            TraceLine::Event(fields) => Some(fields),
            _ => None,
        }
    }

    /// Takes the next line that is an event; returns where it is.
    fn skip_to_event(&mut self) -> Option<(usize, usize)> {
        loop {
            let start = self.start;
            let end = start + self.next_line()?.len();
            match trace_line::parse(&self.buffer[start..end]) {
                TraceLine::Event(_) => return Some((start, end)),
                TraceLine::Lost(n) => self.lost += n,
                TraceLine::Malformed => self.malformed += 1,
                TraceLine::Remark => {}
            }
        }
    }

    /// Waits for a line until `deadline_ns`, or a stop, or the end of the file. Returns whether one is there.
    pub fn wait_line(&mut self, deadline_ns: u64) -> Result<bool> {
        let mut idle_looks = 0;
        while !self.has_line() && !self.fill()? {
            let now_ns = sys::now_ns();
            let pause_ns = flush_ns(idle_looks);
            idle_looks += 1;
            if self.ended || now_ns >= deadline_ns || stop::sleep(pause_ns.min(deadline_ns - now_ns)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Moves what is left to the front. A full buffer without a newline is one line too long: it is dropped.
    fn make_room(&mut self) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() && !self.has_line() {
            self.end = 0;
            self.malformed += 1;
            self.skipping = true;
        }
    }

    fn skip_long_line(&mut self) {
        if self.skipping {
            let newline = self.buffer[self.start..self.end].iter().position(|&byte| byte == b'\n');
            self.start = newline.map_or(self.end, |at| self.start + at + 1);
            self.skipping = newline.is_none();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn pipe_over(bytes: &[u8]) -> (scratch::File, TracePipe) {
        let file = scratch::File::with(bytes);
        let pipe = TracePipe::open(&file.path).unwrap();
        (file, pipe)
    }

    /// A file of a test's own, removed afterwards.
    mod scratch {
        use std::path::PathBuf;
        use std::sync::atomic::{AtomicU32, Ordering};

        pub struct File {
            pub path: PathBuf,
        }

        impl File {
            pub fn with(bytes: &[u8]) -> Self {
                static NEXT: AtomicU32 = AtomicU32::new(0);
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let path = std::env::temp_dir().join(format!("bpflua-trace-{}-{number}", std::process::id()));
                std::fs::write(&path, bytes).unwrap();
                File { path }
            }
        }

        impl Drop for File {
            fn drop(&mut self) {
                let _ = std::fs::remove_file(&self.path);
            }
        }
    }

    fn messages(pipe: &mut TracePipe) -> Vec<String> {
        let mut messages = Vec::new();
        while pipe.wait_line(u64::MAX).unwrap() {
            while let Some(event) = pipe.next_event() {
                messages.push(String::from_utf8_lossy(event.msg).into_owned());
            }
        }
        messages
    }

    fn line(msg: &str) -> String {
        format!("            bash-12    [003] d..2 1.5: bpf_trace_printk: {msg}\n")
    }

    #[test]
    fn skips_and_counts_what_is_no_event() {
        let text = line("one") + "CPU:1 [LOST 5 EVENTS]\ngarbage\n\n" + &line("two") + "CPU:0 [LOST 6 EVENTS]\n";
        let (_file, mut pipe) = pipe_over(text.as_bytes());
        assert_eq!(messages(&mut pipe), ["one", "two"]);
        assert_eq!((pipe.lost, pipe.malformed), (11, 1));
        assert!(pipe.has_ended());
    }

    #[test]
    fn the_last_line_may_lack_its_newline() {
        let (_file, mut pipe) = pipe_over((line("one") + line("two").trim_end()).as_bytes());
        assert_eq!(messages(&mut pipe), ["one", "two"]);
    }

    #[test]
    fn a_line_longer_than_the_buffer_is_one_malformed_line() {
        let (_file, mut pipe) = pipe_over((line("one") + &line(&"x".repeat(3 * BUFFER)) + &line("two")).as_bytes());
        assert_eq!(messages(&mut pipe), ["one", "two"]);
        assert_eq!(pipe.malformed, 1);
    }

    #[test]
    fn many_lines_cross_the_buffer_whole() {
        let text: String = (0..20_000).map(|n| line(&n.to_string())).collect();
        let (_file, mut pipe) = pipe_over(text.as_bytes());
        let wanted: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
        assert_eq!(messages(&mut pipe), wanted);
        assert_eq!(pipe.malformed, 0);
    }

    #[test]
    fn a_line_may_come_in_two_parts() {
        let file = scratch::File::with(b"");
        std::fs::remove_file(&file.path).unwrap();
        let path = std::ffi::CString::new(file.path.to_str().unwrap()).unwrap();
        // SAFETY: a valid C string.
        assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
        let mut pipe = TracePipe::open(&file.path).unwrap();
        let mut writer = File::options().write(true).open(&file.path).unwrap();
        let text = line("whole");
        let (head, tail) = text.split_at(20);
        writer.write_all(head.as_bytes()).unwrap();
        assert!(!pipe.fill().unwrap());
        assert!(pipe.next_event().is_none());
        writer.write_all(tail.as_bytes()).unwrap();
        assert!(pipe.wait_line(u64::MAX).unwrap());
        assert_eq!(pipe.next_event().unwrap().msg, b"whole");
        assert!(!pipe.wait_line(sys::now_ns() + 30_000_000).unwrap());
        assert!(!pipe.has_ended());
    }
}
