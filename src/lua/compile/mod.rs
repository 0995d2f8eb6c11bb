// SPDX-License-Identifier: Apache-2.0
//! From a C text to object bytes, for scripts and for the command line alike: gathers what the compiler asks for (flags,
//! type data, tracepoint formats) and hands on what it says.
//!
//! Two files of one interface: `enabled` calls the compiler room, `disabled` is a build without it.

mod locate;
mod place;
mod request;

#[cfg(not(feature = "compiler"))]
mod disabled;
#[cfg(feature = "compiler")]
mod enabled;
#[cfg(feature = "compiler")]
mod header_hint;
#[cfg(feature = "compiler")]
mod modules;

#[cfg(not(feature = "compiler"))]
pub use disabled::{compile, complete_c, version};
#[cfg(feature = "compiler")]
pub use enabled::{compile, complete_c, version};
pub use locate::locate;
pub use place::{CPlace, CWords};
pub use request::{Compiled, Request};
