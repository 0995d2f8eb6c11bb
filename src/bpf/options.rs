// SPDX-License-Identifier: Apache-2.0
//! What is said of an object before it is made.

use std::path::PathBuf;

use super::attach::Mechanism;
use super::globals::InitialValue;
use super::grants::Grants;

/// How an object is created.
#[derive(Clone, Debug, Default)]
pub struct ObjectOptions {
    /// The user's name for it: shown in errors, and the start of it in `bpftool`.
    pub name: String,
    /// BTF of the kernel to relocate for, in place of the running kernel's own (`--btf`).
    pub btf_path: Option<PathBuf>,
    /// Have the verifier log programs that load, too: 0 no, 1 states, 2 every instruction.
    pub verifier_log_level: u32,
    /// How kprobes attach whose target asks for no mechanism.
    pub mechanism: Mechanism,
    /// What global variables hold when the programs are loaded; for constants the verifier leaves out what they rule out.
    pub constants: Vec<InitialValue>,
    /// Sizes of maps that the C text leaves to its host, or that are to be others than it says.
    pub map_sizes: Vec<MapSizes>,
    /// Shared maps are found by objects of the same name space.
    pub namespace: String,
    /// Nothing but the object itself is touched: its maps are neither pinned nor shared, maps of others get a stand-in.
    /// For checking programs.
    pub alone: bool,
    /// What its programs may do; none: anything.
    pub grants: Option<Grants>,
}

/// The sizes of one map; 0 for what the C text says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapSizes {
    /// The map's name.
    pub map: String,
    /// How many elements it takes; bytes of a ring buffer.
    pub max_entries: u32,
    /// Bytes of a key.
    pub key_size: u32,
    /// Bytes of a value.
    pub value_size: u32,
}
