// SPDX-License-Identifier: Apache-2.0
//! What tests of the whole program stand on: the real executable under a deadline, work for it to see, what this
//! machine can do, and the table of what was tried.
//!
//! Nothing here waits for a time to pass and hopes: work is repeated until it was seen or the deadline is over.

mod needs;
mod report;
mod running;
mod terminal;
mod workload;

pub use needs::{Need, kernel_release, missing, skip, vm_series};
pub use report::{adopt, record, table};
pub use running::{Bpflua, Ended, Running, bpflua, deadline, portable_object, root_folder, scratch};
pub use terminal::{OnTerminal, Terminal, on_terminal};
pub use workload::{OneAtATime, Spawner, histogram, ping_pong, thread_id};
