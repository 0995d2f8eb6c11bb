// SPDX-License-Identifier: Apache-2.0
//! The loop for LuaJIT's FFI: plain C types, no panic and no Lua across the line.
//!
//! The Lua room hands Lua the struct declarations of [`cdef`] and, for each of [`exports()`], a pointer to cast to its
//! `ctype`; `scripts/lib/loop.lua` is the only caller. Every function may run inside a compiled trace.
//!
//! A `bpflua_loop *` is what `loop_new` gave. Numbers below 0 and null pointers mean that it failed: `loop_error` and
//! `loop_errno` then say why. Times are seconds of the monotonic clock; a deadline of `1/0` never comes.

use std::ffi::{CString, c_char, c_void};
use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use super::ctype::{c_struct, exports};
use super::perf::PerfOptions;
use super::poll::{Kind, Loop, Shared};
use super::trace_pipe::TracePipe;
use super::{stop, sys};
use crate::error::{Error, Kind as Fault, Result};

c_struct! {
    /// An event of trace_pipe. The bytes are good until the next call of a `trace_` function.
    pub struct Line as "bpflua_line" {
        /// The task's name.
        task: *const c_char,
        /// Its flags.
        flags: *const c_char,
        /// The message.
        msg: *const c_char,
        /// Bytes of the name.
        task_len: u32,
        /// Bytes of the flags.
        flags_len: u32,
        /// Bytes of the message.
        msg_len: u32,
        /// The thread's id.
        pid: i32,
        /// The CPU.
        cpu: i32,
        /// Seconds.
        ts: f64,
    }
}

/// What the handle points to.
#[repr(C)]
struct Handle {
    /// First, because it starts with the [`Shared`] that Lua reads.
    events: Loop,
    line: Line,
    /// What `loop_error` gave last.
    text: CString,
}

/// The C declarations that the functions need.
pub fn cdef() -> String {
    Shared::cdef() + &Line::cdef()
}

/// The loop behind a handle.
///
/// # Safety
/// `handle` came from `loop_new`, was not freed, and no other reference to it is alive. Lua is one thread and our
/// functions call nothing back, so each holds the only reference.
unsafe fn handle<'a>(handle: *mut Shared) -> &'a mut Handle {
    // SAFETY: `Handle` and `Loop` are `repr(C)` and start with `Shared`; the rest is the caller's word.
    unsafe { &mut *handle.cast::<Handle>() }
}

fn loop_of<'a>(pointer: *mut Shared) -> &'a mut Loop {
    // SAFETY: `scripts/lib/loop.lua` passes on what `loop_new` gave it.
    unsafe { &mut handle(pointer).events }
}

/// The number, or -1 with the error kept for `loop_error`.
fn number_or_error(events: &mut Loop, result: Result<usize>) -> i32 {
    match result {
        Ok(number) => number as i32,
        Err(err) => {
            events.error = Some(err);
            -1
        }
    }
}

fn borrowed<'a>(fd: i32) -> Result<BorrowedFd<'a>> {
    if fd < 0 {
        return Err(Error::bug("cannot open a buffer", format!("{fd} is no descriptor of a map")));
    }
    // SAFETY: not -1; the caller's map is open for the time of the call.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}

/// Seconds as nanoseconds; infinity is `u64::MAX`.
fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9) as u64
}

fn cpu_or_all(cpu: i32) -> Option<i32> {
    (cpu >= 0).then_some(cpu)
}

exports! {
    /// A new loop, or null.
    fn loop_new() -> *mut Shared, or std::ptr::null_mut(); {
        let line = Line {
            task: std::ptr::null(), flags: std::ptr::null(), msg: std::ptr::null(),
            task_len: 0, flags_len: 0, msg_len: 0, pid: 0, cpu: 0, ts: 0.0,
        };
        match Loop::new() {
            Ok(events) => Box::into_raw(Box::new(Handle { events, line, text: CString::default() })).cast(),
            Err(_) => std::ptr::null_mut(),
        }
    }

    /// Ends a loop. Pointers to its records, kept somewhere, dangle from then on.
    fn loop_free(events: *mut Shared) -> (), or (); {
        // SAFETY: `loop_new` made it a box, and Lua frees it once.
        drop(unsafe { Box::from_raw(events.cast::<Handle>()) });
    }

    /// Adds the perf buffer of a map. 0 for `page_cnt` and `wakeup_events`: the default. `min_len`: the least bytes
    /// of a record that are read. Gives the source's number.
    fn loop_add_perf(events: *mut Shared, map_fd: i32, page_cnt: u32, wakeup_events: u32, min_len: u32) -> i32, or -1; {
        let events = loop_of(events);
        let options = PerfOptions { page_cnt: page_cnt as usize, wakeup_events, min_len: min_len as usize, exact_lost: true };
        let added = borrowed(map_fd).and_then(|map| events.add_perf(map, options));
        number_or_error(events, added)
    }

    /// Adds the ring buffer of a map. `lost_fd`: an array in which the program counts what did not fit, or -1;
    /// `lost_offset`: where in its value 0, a u64. Gives the source's number.
    fn loop_add_ring(events: *mut Shared, map_fd: i32, lost_fd: i32, lost_offset: u32, min_len: u32) -> i32, or -1; {
        let events = loop_of(events);
        let lost = if lost_fd < 0 { Ok(None) } else { borrowed(lost_fd).map(|map| Some((map, lost_offset as usize))) };
        let added = borrowed(map_fd).and_then(|map| events.add_ring(map, lost?, min_len as usize));
        number_or_error(events, added)
    }

    /// Ends a source: its kernel side is given back, its counts stay. Pointers to its records stay readable.
    fn loop_remove(events: *mut Shared, source: i32) -> (), or (); {
        loop_of(events).remove(source as usize);
    }

    /// Watches a descriptor; gives its number.
    fn loop_add_fd(events: *mut Shared, fd: i32) -> i32, or -1; {
        let events = loop_of(events);
        let added = events.add_descriptor(fd);
        number_or_error(events, added)
    }

    /// Stops watching the descriptor of this number.
    fn loop_remove_fd(events: *mut Shared, number: i32) -> (), or (); {
        loop_of(events).remove_descriptor(number as usize);
    }

    /// Adds a timer, `repeat` 0: once; gives its number.
    fn loop_add_timer(events: *mut Shared, seconds: f64, repeat: i32) -> i32, or -1; {
        loop_of(events).add_timer(nanoseconds(seconds), repeat != 0) as i32
    }

    /// Ends the timer of this number.
    fn loop_cancel_timer(events: *mut Shared, number: i32) -> (), or (); {
        loop_of(events).cancel_timer(number as usize);
    }

    /// What to do next; see `poll.rs`. `flags`: 1 look at every reader first, 2 lines of trace_pipe are wanted.
    fn loop_wait(events: *mut Shared, deadline: f64, flags: i32) -> i32, or Kind::Failed as i32; {
        loop_of(events).wait(nanoseconds(deadline), flags) as i32
    }

    /// The next record of the slice if it is of this source; null at the end.
    fn loop_record(events: *mut Shared, source: i32) -> *const c_void, or std::ptr::null(); {
        loop_of(events).record(source)
    }

    /// The events that are there from now on come first and then the kind `drained`.
    fn loop_begin_drain(events: *mut Shared) -> (), or (); {
        loop_of(events).begin_drain();
    }

    /// Records handed out, of one CPU or (-1) all.
    fn loop_delivered(events: *mut Shared, source: i32, cpu: i32) -> f64, or 0.0; {
        loop_of(events).delivered(source as usize, cpu_or_all(cpu)) as f64
    }

    /// Records lost, of one CPU or (-1) all.
    fn loop_lost(events: *mut Shared, source: i32, cpu: i32) -> f64, or 0.0; {
        loop_of(events).lost(source as usize, cpu_or_all(cpu)) as f64
    }

    /// A part of the last error: 0 whose fault (`script`, `machine`, `bug`), 1 what, 2 why, 3 the whole report. Good
    /// until the next call.
    fn loop_error(events: *mut Shared, part: i32) -> *const c_char, or std::ptr::null(); {
        // SAFETY: as `loop_of`.
        let handle = unsafe { handle(events) };
        let text = error_part(handle.events.error.as_ref(), part);
        handle.text = CString::new(text.replace('\0', " ")).unwrap_or_default();
        handle.text.as_ptr()
    }

    /// The errno of the last error; 0 for none.
    fn loop_errno(events: *mut Shared) -> i32, or 0; {
        loop_of(events).error.as_ref().and_then(Error::errno).unwrap_or(0)
    }

    /// Opens trace_pipe, or a file like it; 0, or -1. `path` ends with a null byte.
    fn trace_open(events: *mut Shared, path: *const c_char) -> i32, or -1; {
        use std::os::unix::ffi::OsStringExt as _;
        // SAFETY: a C string, Lua's strings are.
        let path = unsafe { std::ffi::CStr::from_ptr(path) }.to_bytes().to_vec();
        let events = loop_of(events);
        let opened = events.open_trace(&PathBuf::from(std::ffi::OsString::from_vec(path)));
        number_or_error(events, opened.map(|()| 0))
    }

    /// Waits for a line of trace_pipe until the deadline or a stop. 1: one is there; 0: none; 2: none will ever be.
    fn trace_wait(events: *mut Shared, deadline: f64) -> i32, or -1; {
        let events = loop_of(events);
        let waited = match events.trace() {
            Some(trace) => trace.wait_line(nanoseconds(deadline)).map(|got| match got {
                true => 1,
                false if trace.has_ended() => 2,
                false => 0,
            }),
            None => Err(Error::bug("cannot read trace_pipe", "it was not opened")),
        };
        number_or_error(events, waited)
    }

    /// The next event of trace_pipe that is there already, or null. Other lines are counted and skipped.
    fn trace_next(events: *mut Shared) -> *const Line, or std::ptr::null(); {
        // SAFETY: as `loop_of`.
        let handle = unsafe { handle(events) };
        let Some(fields) = handle.events.trace().and_then(TracePipe::next_event) else {
            return std::ptr::null();
        };
        handle.line = Line {
            task: fields.task.as_ptr().cast(), flags: fields.flags.as_ptr().cast(), msg: fields.msg.as_ptr().cast(),
            task_len: fields.task.len() as u32, flags_len: fields.flags.len() as u32, msg_len: fields.msg.len() as u32,
            pid: fields.pid, cpu: fields.cpu, ts: fields.ts,
        };
        &raw const handle.line
    }

    /// The next line of trace_pipe that is there already, whatever it is, as the `msg` of the result; or null.
    fn trace_line(events: *mut Shared) -> *const Line, or std::ptr::null(); {
        // SAFETY: as `loop_of`.
        let handle = unsafe { handle(events) };
        let Some(line) = handle.events.trace().and_then(|trace| trace.next_line()) else {
            return std::ptr::null();
        };
        handle.line.msg = line.as_ptr().cast();
        handle.line.msg_len = line.len() as u32;
        &raw const handle.line
    }

    /// A count of trace_pipe: 0 events that the kernel dropped, 1 lines that could not be understood.
    fn trace_count(events: *mut Shared, which: i32) -> f64, or 0.0; {
        loop_of(events).trace().map_or(0.0, |trace| if which == 0 { trace.lost } else { trace.malformed } as f64)
    }

    /// Seconds of the monotonic clock.
    fn clock_now() -> f64, or 0.0; {
        sys::now_ns() as f64 / 1e9
    }

    /// Whether a stop was asked for: the signal's number, -1 when it was not a signal, 0 for no.
    fn stop_requested() -> i32, or 0; {
        if stop::requested() { stop::signal().unwrap_or(-1) } else { 0 }
    }

    /// Sleeps; 1 when a stop ended it.
    fn stop_sleep(seconds: f64) -> i32, or 0; {
        i32::from(stop::sleep(nanoseconds(seconds)))
    }
}

fn error_part(error: Option<&Error>, part: i32) -> String {
    let Some(error) = error else { return String::new() };
    match part {
        0 => match error.kind() {
            Fault::Script => "script",
            Fault::Machine => "machine",
            Fault::Bug => "bug",
        }
        .to_owned(),
        1 => error.what().to_owned(),
        2 => error.why().to_owned(),
        _ => error.report(),
    }
}
