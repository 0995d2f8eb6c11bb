// SPDX-License-Identifier: Apache-2.0
//! Attachments: descriptors whose closing detaches.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::attach::{ProgAttachment, Registration, TcAttachment, TracefsEvent};
use super::map::Map;
use super::program::Program;
use super::sys;
use super::sys::link::UprobePlaces;
use crate::error::{Error, Result};

/// One attachment of one program. Dropping it detaches; so does the end of the process, however it ends.
#[derive(Debug)]
pub struct Link {
    program: Rc<Program>,
    fd: Option<OwnedFd>,
    /// Only for a link descriptor does the kernel count what it left out.
    is_link: bool,
    /// Undone after the descriptor is closed: fields drop in this order.
    undo: Option<Undo>,
}

/// What has to be taken back when a link goes, beside closing a descriptor. A killed process leaves these behind.
#[derive(Debug)]
pub(super) enum Undo {
    /// An event in tracefs.
    TracefsEvent(#[allow(dead_code, reason = "removes itself when it is dropped")] TracefsEvent),
    /// A program attached without a link.
    Program(#[allow(dead_code, reason = "detaches itself when it is dropped")] ProgAttachment),
    /// A filter of traffic control.
    Filter(#[allow(dead_code, reason = "removes itself when it is dropped")] TcAttachment),
    /// A struct of functions.
    StructOps(#[allow(dead_code, reason = "detaches itself when it is dropped")] Registration),
}

impl Link {
    /// Attaches to a perf event: a link where the kernel has them for perf events (5.15), the event itself before. `cookie`,
    /// here and below, is a number that the program can ask for, where the kernel has that; 0 for none.
    pub(super) fn perf(program: &Rc<Program>, event: OwnedFd, cookie: u64) -> io::Result<Link> {
        static NO_PERF_LINKS: AtomicBool = AtomicBool::new(false);
        if !NO_PERF_LINKS.load(Ordering::Relaxed) {
            match sys::link::perf_event(program.as_fd(), event.as_fd(), cookie) {
                Ok(fd) => {
                    sys::perf::enable(event.as_fd())?;
                    return Ok(Self::new(program, fd, true));
                }
                Err(err) if err.raw_os_error() != Some(libc::EINVAL) => return Err(err),
                Err(_) => {}
            }
        }
        sys::perf::set_program(event.as_fd(), program.as_fd())?;
        sys::perf::enable(event.as_fd())?;
        // Only now is it sure that it was the link that the kernel did not take.
        NO_PERF_LINKS.store(true, Ordering::Relaxed);
        Ok(Self::new(program, event, false))
    }

    /// Attaches a program whose target was given when it was loaded.
    pub(super) fn tracing(program: &Rc<Program>, cookie: u64) -> io::Result<Link> {
        let fd = sys::link::tracing(program.as_fd(), program.expected_attach_type, cookie)?;
        Ok(Self::new(program, fd, true))
    }

    /// Attaches to a raw tracepoint.
    pub(super) fn raw_tracepoint(program: &Rc<Program>, event: &str, cookie: u64) -> io::Result<Link> {
        let event = CString::new(event)?;
        Ok(Self::new(program, sys::link::raw_tracepoint(program.as_fd(), &event, cookie)?, true))
    }

    /// Attaches to the entries or returns of many functions.
    pub(super) fn kprobe_multi(
        program: &Rc<Program>,
        addresses: &[u64],
        retprobe: bool,
        cookie: u64,
    ) -> io::Result<Link> {
        Ok(Self::new(program, sys::link::kprobe_multi(program.as_fd(), addresses, retprobe, cookie)?, true))
    }

    /// Attaches to the entries and the returns of many functions.
    pub(super) fn kprobe_session(program: &Rc<Program>, addresses: &[u64]) -> io::Result<Link> {
        Ok(Self::new(program, sys::link::kprobe_session(program.as_fd(), addresses)?, true))
    }

    /// Attaches to what a descriptor or the number of a network device stands for.
    pub(super) fn create(program: &Rc<Program>, target: i32, attach_type: u32, flags: u32) -> io::Result<Link> {
        Ok(Self::new(program, sys::link::create(program.as_fd(), target, attach_type, flags)?, true))
    }

    /// Attaches an iterator.
    pub(super) fn iter(program: &Rc<Program>, scope: &sys::link::IterScope) -> io::Result<Link> {
        Ok(Self::new(program, sys::link::iter(program.as_fd(), scope)?, true))
    }

    /// Starts a run of the iterator that this link attaches.
    pub(super) fn open_iter(&self) -> io::Result<OwnedFd> {
        let fd = self.fd().ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))?;
        sys::link::open_iter(fd)
    }

    /// Attaches to a hook of netfilter.
    pub(super) fn netfilter(program: &Rc<Program>, hook: &sys::link::Hook) -> io::Result<Link> {
        Ok(Self::new(program, sys::link::netfilter(program.as_fd(), hook)?, true))
    }

    /// Has the kernel call the functions in a map, of which `program` is one.
    pub(super) fn struct_ops(program: &Rc<Program>, map: &Map) -> io::Result<Link> {
        Ok(Self::new(program, sys::link::struct_ops(map.as_fd())?, true))
    }

    /// Attaches in place of the function with this BTF id of another program.
    pub(super) fn freplace(program: &Rc<Program>, target: BorrowedFd<'_>, function: u32) -> io::Result<Link> {
        Ok(Self::new(program, sys::link::freplace(program.as_fd(), target, function)?, true))
    }

    /// A program that another link attaches, too.
    pub(super) fn beside(program: &Rc<Program>) -> Link {
        Link { program: Rc::clone(program), fd: None, is_link: false, undo: None }
    }

    /// Attaches to a socket, which goes with the link.
    pub(super) fn socket(program: &Rc<Program>, socket: OwnedFd) -> io::Result<Link> {
        sys::attach::set_socket_filter(socket.as_fd(), program.as_fd())?;
        Ok(Self::new(program, socket, false))
    }

    /// What is attached without a descriptor to close.
    pub(super) fn undone_by(program: &Rc<Program>, undo: Undo) -> Link {
        Link { program: Rc::clone(program), fd: None, is_link: false, undo: Some(undo) }
    }

    /// Attaches to many places in a file.
    pub(super) fn uprobe_multi(program: &Rc<Program>, places: &UprobePlaces<'_>) -> io::Result<Link> {
        Ok(Self::new(program, sys::link::uprobe_multi(program.as_fd(), places)?, true))
    }

    fn new(program: &Rc<Program>, fd: OwnedFd, is_link: bool) -> Link {
        Link { program: Rc::clone(program), fd: Some(fd), is_link, undo: None }
    }

    /// Removes this tracefs event when the link goes.
    pub(super) fn with_tracefs_event(mut self, event: TracefsEvent) -> Link {
        self.undo = Some(Undo::TracefsEvent(event));
        self
    }

    /// The descriptor that the attachment is.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd)
    }

    /// The attached program.
    pub fn program(&self) -> &Rc<Program> {
        &self.program
    }

    /// Runs that the kernel left out at this attachment, where it counts them.
    pub fn missed(&self) -> u64 {
        self.fd().filter(|_| self.is_link).map_or(0, sys::link_info::read_missed)
    }

    /// Detaches. The same as dropping it, with a name.
    pub fn detach(self) {}
}

/// The error of a link that the kernel did not make.
pub(super) fn refused(what: impl Into<String>, err: &io::Error) -> Error {
    Error::io(what, err)
}

/// For the callers that have nothing to add.
pub(super) fn or_refused<T>(result: io::Result<T>, what: impl FnOnce() -> String) -> Result<T> {
    result.map_err(|err| refused(what(), &err))
}
