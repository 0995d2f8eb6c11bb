// SPDX-License-Identifier: Apache-2.0
//! What the kernel's verifier said, and what it means for the C text.
//!
//! The log is long and speaks of registers. Three things are taken from it: the lines of the verdict ([`log`]), the
//! place in the user's text ([`lines`], which works on kernels whose log names no lines), and, for verdicts that are
//! known, the meaning and a hint ([`causes`]). The whole log stays in the error.

mod causes;
mod lines;
mod log;
mod rejected;

pub use lines::{LineTable, SourceLine};
pub use log::VerifierLog;
pub use rejected::Rejected;
