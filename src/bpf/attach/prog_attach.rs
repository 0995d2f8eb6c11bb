// SPDX-License-Identifier: Apache-2.0
//! Attachments without a link, which are taken back by hand.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::rc::Rc;

use crate::bpf::program::Program;
use crate::bpf::sys::{attach, filters, net};

/// A program attached to a control group or a map; dropping it detaches it.
#[derive(Debug)]
pub struct ProgAttachment {
    program: Rc<Program>,
    target: OwnedFd,
    attach_type: u32,
}

impl ProgAttachment {
    /// Takes over what was attached.
    pub fn new(program: &Rc<Program>, target: OwnedFd, attach_type: u32) -> ProgAttachment {
        ProgAttachment { program: Rc::clone(program), target, attach_type }
    }
}

impl Drop for ProgAttachment {
    fn drop(&mut self) {
        // It may be gone already, with the group or by another's hand.
        let _ = attach::detach(self.program.as_fd(), self.target.as_raw_fd(), self.attach_type);
    }
}

/// A filter on the queueing discipline `clsact`; dropping it removes it, and the discipline if it was made for it and
/// nobody else has put a filter there meanwhile.
#[derive(Debug)]
pub struct TcAttachment {
    filter: net::TcFilter,
    made_clsact: bool,
}

impl TcAttachment {
    /// Takes over a filter.
    pub fn new(filter: net::TcFilter, made_clsact: bool) -> TcAttachment {
        TcAttachment { filter, made_clsact }
    }
}

impl Drop for TcAttachment {
    fn drop(&mut self) {
        // Either may be gone already, with the device or by another's hand.
        let _ = net::detach_tc(&self.filter);
        if self.made_clsact && filters::has_none(self.filter.device).unwrap_or(false) {
            let _ = net::destroy_clsact(&self.filter);
        }
    }
}
