// SPDX-License-Identifier: Apache-2.0
//! All that is kept about names, and the questions asked of it.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use super::build_id::{self, BuildId, BuildIds};
use super::files::Files;
use super::lru::Lru;
use super::process::Process;
use super::symbol::{Symbolized, Unknown};
use crate::error::Result;

/// How many processes are kept; each holds one descriptor.
const MOST_PROCESSES: usize = 128;

/// Names of processes' addresses, kept within bounds.
#[derive(Debug)]
pub struct Symbols {
    files: Rc<Files>,
    processes: RefCell<Lru<u32, Rc<Process>>>,
    build_ids: RefCell<BuildIds>,
}

impl Default for Symbols {
    fn default() -> Self {
        Symbols {
            files: Rc::default(),
            processes: RefCell::new(Lru::new(MOST_PROCESSES)),
            build_ids: RefCell::default(),
        }
    }
}

impl Symbols {
    /// The process of this number: the one that has it now, or else the one that had it when it was last asked for.
    pub fn process(&self, pid: u32) -> Result<Rc<Process>> {
        let kept = self.processes.borrow_mut().get(&pid);
        if let Some(process) = kept.as_ref().filter(|process| process.was_there()) {
            return Ok(Rc::clone(process));
        }
        match (Process::open(pid, Rc::clone(&self.files)), kept) {
            (Ok(process), _) => {
                let process = Rc::new(process);
                self.processes.borrow_mut().insert(pid, Rc::clone(&process));
                Ok(process)
            }
            (Err(_), Some(gone)) => Ok(gone),
            (Err(error), None) => Err(error),
        }
    }

    /// Notes a file for frames that tell a build ID.
    pub fn add_module(&self, path: &Path) -> Result<()> {
        self.build_ids.borrow_mut().add(path)
    }

    /// The function of a frame that tells a build ID: in the files that were added, then in those that the process maps.
    pub fn symbolize_build_id(&self, pid: Option<u32>, id: &BuildId, file_offset: u64) -> Symbolized {
        let added = self.build_ids.borrow().symbolize(&self.files, id, file_offset);
        let mapped = || {
            let process = self.process(pid?).ok()?;
            process.symbolize_in(|of_file| build_id::is_same(id, of_file), file_offset)
        };
        added.or_else(mapped).unwrap_or_else(|| Err(Unknown::nowhere("no known file has this build ID")))
    }
}
