// SPDX-License-Identifier: Apache-2.0
//! What maps did not take: the dialect's methods count it in a map of their own, since few texts look at what an update
//! returns.

use std::os::fd::{AsFd as _, BorrowedFd};

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

use super::map::Map;
use super::object::Object;
use crate::error::{Error, Result};

/// The section of the counters, and the name of the map that libbpf makes of it.
pub const MAP: &str = ".bss.lost";
/// What a counter's symbol has before the name of its map.
const PREFIX: &str = "__bpflua_lost_";
/// A counter is a `u64` and the last error as an `int`, padded.
const COUNTER_BYTES: usize = 16;

/// Where the losses of one map are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LossCounter {
    /// The map that loses.
    pub map: String,
    /// Byte offset of the counter in the only value of [`MAP`].
    pub offset: usize,
}

/// What one map lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapLoss {
    /// The map.
    pub map: String,
    /// Updates, or records of a ring buffer, that it did not take.
    pub count: u64,
    /// Why it did not take the last of them, positive.
    pub errno: i32,
}

/// The counters of an object; none when nothing in it can lose.
pub fn counters(elf: &[u8]) -> Vec<LossCounter> {
    let Ok(file) = object::File::parse(elf) else { return Vec::new() };
    let Some(section) = file.section_by_name(MAP) else { return Vec::new() };
    let symbols = file.symbols().filter(|symbol| symbol.section_index() == Some(section.index()));
    let counters = symbols.filter_map(|symbol| {
        let map = symbol.name().ok()?.strip_prefix(PREFIX)?.to_owned();
        Some(LossCounter { map, offset: symbol.address() as usize })
    });
    counters.collect()
}

impl Object {
    /// Where the losses of a map are counted: a map of one value, and the byte offset of a `u64` in it.
    pub fn loss_counter(&self, map: &str) -> Option<(BorrowedFd<'_>, usize)> {
        let counter = self.counters().iter().find(|counter| counter.map == map)?;
        Some((self.map(MAP).ok()?.as_fd(), counter.offset))
    }

    /// What each map lost since the object was created, of those that can lose.
    pub fn losses(&self) -> Result<Vec<MapLoss>> {
        if self.counters().is_empty() {
            return Ok(Vec::new());
        }
        let value = contents(self.map(MAP)?)?;
        let losses = self.counters().iter().filter_map(|counter| {
            let bytes = value.get(counter.offset..counter.offset + COUNTER_BYTES)?;
            let count = u64::from_ne_bytes(bytes[..8].try_into().ok()?);
            let errno = i32::from_ne_bytes(bytes[8..12].try_into().ok()?).wrapping_neg();
            Some(MapLoss { map: counter.map.clone(), count, errno })
        });
        Ok(losses.collect())
    }
}

fn contents(map: &Map) -> Result<Vec<u8>> {
    let value = map.lookup(&0_u32.to_ne_bytes())?;
    value.ok_or_else(|| Error::bug("cannot read what maps lost", "the counters are gone"))
}
