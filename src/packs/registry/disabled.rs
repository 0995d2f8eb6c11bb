// SPDX-License-Identifier: Apache-2.0
//! The same as `client.rs` in a build without the feature `registry`.

use crate::error::{Error, Result};
use crate::packs::limits::Limits;
use crate::packs::tree::Tree;

fn absent<T>(repository: &str) -> Result<T> {
    let what = format!("cannot reach `oci://{repository}`");
    Err(Error::machine(what, "this build of bpflua has no client for registries (feature `registry`)")
        .with_hint("fetch the pack elsewhere and install it from a `.tar.zst` file"))
}

/// Says that there is no client.
pub fn tags(repository: &str) -> Result<Vec<String>> {
    absent(repository)
}

/// Says that there is no client.
pub fn pull(repository: &str, _reference: Option<&str>, _limits: &Limits) -> Result<(Tree, String)> {
    absent(repository)
}

/// Says that there is no client.
pub fn push(repository: &str, _tag: &str, _tree: &Tree, _facts: &[(&str, String)]) -> Result<String> {
    absent(repository)
}
