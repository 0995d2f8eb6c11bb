// SPDX-License-Identifier: Apache-2.0
//! What this process may do, and what the system forbids whatever it may.
//!
//! Loading BPF programs for tracing takes `CAP_BPF` and `CAP_PERFMON` (since Linux 5.8) or `CAP_SYS_ADMIN`, in the first
//! user namespace. [`Privilege::explain`] adds to the error of a refused call what was found to be in the way, and only
//! that: root is never told to become root.

mod addresses;
mod capabilities;
mod explain;
mod state;

pub use addresses::addresses_hidden;
pub use capabilities::{Capabilities, Capability};
pub use explain::cannot_load_bpf;
pub use state::{Lockdown, Privilege, effective_uid};
