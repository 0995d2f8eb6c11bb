// SPDX-License-Identifier: Apache-2.0
//! Where the vDSO is in our own address space, whose vDSO is every process's.

use std::fs::File;
use std::io::BufReader;
use std::sync::OnceLock;

use super::mappings::{Backing, Mappings};

/// The first address of our vDSO; `None` where the kernel gives none.
pub(super) fn ours() -> Option<u64> {
    static OURS: OnceLock<Option<u64>> = OnceLock::new();
    *OURS.get_or_init(|| {
        let mappings = Mappings::parse(BufReader::new(File::open("/proc/self/maps").ok()?)).ok()?;
        mappings.iter().find(|mapping| mapping.backing == Backing::Vdso).map(|mapping| mapping.start)
    })
}
