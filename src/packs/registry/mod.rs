// SPDX-License-Identifier: Apache-2.0
//! Packs in registries of the Open Container Initiative: a repository for each pack, a tag for each version. What is stored is
//! an artifact with one layer, the packed archive of the pack.

#[cfg(feature = "registry")]
mod client;
#[cfg(feature = "registry")]
mod credentials;
#[cfg(not(feature = "registry"))]
mod disabled;

#[cfg(feature = "registry")]
pub use client::{pull, push, tags};
#[cfg(not(feature = "registry"))]
pub use disabled::{pull, push, tags};
