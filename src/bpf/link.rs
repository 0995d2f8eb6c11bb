// SPDX-License-Identifier: Apache-2.0
//! Attachments: descriptors whose closing detaches.

use std::os::fd::OwnedFd;

/// One attachment of one program. Dropping it detaches; so does the end of the process, however it ends.
#[derive(Debug)]
pub struct Link {
    fds: Vec<OwnedFd>,
}

impl Link {
    /// How many descriptors keep the attachment.
    pub fn descriptors(&self) -> usize {
        self.fds.len()
    }
}
