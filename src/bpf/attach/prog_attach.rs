// SPDX-License-Identifier: Apache-2.0
//! Attachments without a link, which are taken back by hand.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

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

/// The devices that this process gave the queueing discipline `clsact`.
static MADE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A filter on the queueing discipline `clsact`; dropping it removes it, and the discipline if this process made it and
/// no other filter is there.
#[derive(Debug)]
pub struct TcAttachment {
    filter: net::TcFilter,
}

impl TcAttachment {
    /// Adds a filter to a device, which gets the discipline if it has none.
    pub fn attach(filter: &net::TcFilter, program: &Program) -> io::Result<TcAttachment> {
        if net::create_clsact(filter)? {
            MADE.lock().unwrap_or_else(PoisonError::into_inner).insert(filter.device);
        }
        match net::attach_tc(filter, program.as_fd()) {
            Ok(filter) => Ok(TcAttachment { filter }),
            Err(err) => {
                remove_clsact(filter);
                Err(err)
            }
        }
    }

    /// The filter, with the numbers that the kernel gave it.
    pub fn filter(&self) -> &net::TcFilter {
        &self.filter
    }
}

/// Takes the discipline off a device if this process made it and nothing hangs on it.
fn remove_clsact(filter: &net::TcFilter) {
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if made.contains(&filter.device) && filters::has_none(filter.device).unwrap_or(false) {
        // It may be gone already, with the device or by another's hand.
        let _ = net::destroy_clsact(filter);
        made.remove(&filter.device);
    }
}

impl Drop for TcAttachment {
    fn drop(&mut self) {
        // It may be gone already, with the device or by another's hand.
        let _ = net::detach_tc(&self.filter);
        remove_clsact(&self.filter);
    }
}
