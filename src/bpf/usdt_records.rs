// SPDX-License-Identifier: Apache-2.0
//! The records that tell programs where a USDT probe's arguments are: `struct __bpflua_usdt_record` of
//! `bpf-include/bpflua/usdt.h`, in the map `__bpflua_usdt_records`.
//!
//! Locations whose arguments are at the same places share a record, so a probe with thousands of locations has a few.
//! The map that came with the object is small; when it is full a larger one takes its place for the programs that are
//! loaded from then on. Numbers stay what they are, and programs that run keep the map they have.

use std::collections::HashMap;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::rc::Rc;

use super::map::Map;
use super::map_kind::MapKind;
use super::sys::map as sys;
use crate::error::{Error, Result};
use crate::symbolize::usdt::{Argument, Machine, Operand, Place};

/// The map's name in the object.
pub const MAP: &str = "__bpflua_usdt_records";
/// How many arguments a record has room for.
pub const MAX_ARGUMENTS: usize = 12;

const HEAD_BYTES: usize = 16;
const ARGUMENT_BYTES: usize = 16;
const RECORD_BYTES: usize = HEAD_BYTES + MAX_ARGUMENTS * ARGUMENT_BYTES;

const BASE: u8 = 1;
const INDEX: u8 = 2;
const INDEX_S32: u8 = 4;
const INDEX_U32: u8 = 8;
const MEMORY: u8 = 16;
const SIGNED: u8 = 32;
const BYTE2: u8 = 64;
const ADDRESS32: u8 = 128;

/// A record as the program reads it.
pub type Record = [u8; RECORD_BYTES];

/// Where in a record an argument is, counted from 0.
pub fn argument_offset(index: usize) -> usize {
    HEAD_BYTES + index * ARGUMENT_BYTES
}

/// The record of a location. An argument that cannot be read has size 0 in it, which programs take for an error.
pub fn encode(machine: Machine, arguments: &[Argument], cookie: u64) -> Record {
    let mut record = [0; RECORD_BYTES];
    record[..8].copy_from_slice(&cookie.to_ne_bytes());
    let count = arguments.len().min(MAX_ARGUMENTS) as u32;
    record[8..12].copy_from_slice(&count.to_ne_bytes());
    for (index, argument) in arguments.iter().take(MAX_ARGUMENTS).enumerate() {
        let at = argument_offset(index);
        record[at..at + ARGUMENT_BYTES].copy_from_slice(&encode_argument(machine, argument));
    }
    record
}

fn encode_argument(machine: Machine, argument: &Argument) -> [u8; ARGUMENT_BYTES] {
    let Ok(operand) = &argument.operand else { return [0; ARGUMENT_BYTES] };
    let mut flags = if argument.signed { SIGNED } else { 0 };
    let at;
    let place = match operand {
        Operand::Constant(value) => {
            at = Place { displacement: *value, ..Place::default() };
            &at
        }
        Operand::Register(part) => {
            flags |= if part.high_byte { BYTE2 } else { 0 };
            at = Place { base: Some(part.offset), ..Place::default() };
            &at
        }
        Operand::Memory(place) | Operand::Address(place) => {
            flags |= if machine == Machine::X86 { ADDRESS32 } else { 0 };
            flags |= if matches!(operand, Operand::Memory(_)) { MEMORY } else { 0 };
            place
        }
    };
    flags |= if place.base.is_some() { BASE } else { 0 };
    flags |= match place.index {
        None => 0,
        Some(index) => INDEX | index.half.map_or(0, |signed| if signed { INDEX_S32 } else { INDEX_U32 }),
    };
    let mut bytes = [0; ARGUMENT_BYTES];
    bytes[..8].copy_from_slice(&place.displacement.to_ne_bytes());
    bytes[8..10].copy_from_slice(&place.base.unwrap_or(0).to_ne_bytes());
    bytes[10..12].copy_from_slice(&place.index.map_or(0, |index| index.offset).to_ne_bytes());
    bytes[12] = flags;
    bytes[13] = argument.size;
    bytes[14] = place.index.map_or(0, |index| index.shift);
    bytes
}

/// The records of an object.
#[derive(Debug)]
pub struct UsdtRecords {
    /// By number. Number 0 is a record without arguments, for programs that are loaded and not attached.
    records: Vec<Record>,
    numbers: HashMap<Record, u32>,
    /// The map that came with the object.
    first: Rc<Map>,
    /// The one in its place, and how many records it takes.
    larger: Vec<(OwnedFd, usize)>,
}

impl UsdtRecords {
    /// For an object with this map.
    pub fn new(map: &Rc<Map>) -> UsdtRecords {
        let records = vec![[0; RECORD_BYTES]];
        UsdtRecords { records, numbers: HashMap::new(), first: Rc::clone(map), larger: Vec::new() }
    }

    /// The descriptor that the relocated instructions name.
    pub fn original(&self) -> RawFd {
        self.first.as_fd().as_raw_fd()
    }

    /// The descriptor of the map that new programs are to use.
    pub fn current(&self) -> RawFd {
        self.larger.last().map_or_else(|| self.original(), |(map, _)| map.as_raw_fd())
    }

    /// The numbers of these records, which are in the current map when this returns.
    pub fn add(&mut self, records: &[Record], what: &str) -> Result<Vec<u32>> {
        let known = self.records.len();
        let numbers = records.iter().map(|record| self.number(record)).collect();
        let capacity = self.larger.last().map_or(self.first.max_entries as usize, |(_, capacity)| *capacity);
        let failed = |err| Error::io(what, &err).with_evidence("the map for the places of USDT arguments");
        let from = if self.records.len() > capacity {
            let capacity = self.records.len().next_power_of_two();
            let map = sys::create(&array(capacity)).map_err(failed)?;
            self.larger.push((map, capacity));
            0
        } else {
            known
        };
        let map = self.larger.last().map_or_else(|| self.first.as_fd(), |(map, _)| map.as_fd());
        for (number, record) in self.records.iter().enumerate().skip(from) {
            sys::update(map, &(number as u32).to_ne_bytes(), record, 0).map_err(failed)?;
        }
        Ok(numbers)
    }

    fn number(&mut self, record: &Record) -> u32 {
        *self.numbers.entry(*record).or_insert_with(|| {
            self.records.push(*record);
            self.records.len() as u32 - 1
        })
    }
}

fn array(records: usize) -> sys::MapInfo {
    let value_size = RECORD_BYTES as u32;
    sys::MapInfo { kind: MapKind::ARRAY, key_size: 4, value_size, max_entries: records as u32, flags: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbolize::usdt::parse_arguments;

    fn argument(machine: Machine, text: &str) -> [u8; ARGUMENT_BYTES] {
        let record = encode(machine, &parse_arguments(machine, text), 0);
        record[argument_offset(0)..argument_offset(1)].try_into().unwrap()
    }

    fn bytes(value: i64, base: u16, index: u16, flags: u8, size: u8, scale: u8) -> [u8; ARGUMENT_BYTES] {
        let mut bytes = [0; ARGUMENT_BYTES];
        bytes[..8].copy_from_slice(&value.to_ne_bytes());
        bytes[8..10].copy_from_slice(&base.to_ne_bytes());
        bytes[10..12].copy_from_slice(&index.to_ne_bytes());
        bytes[12..15].copy_from_slice(&[flags, size, scale]);
        bytes
    }

    #[test]
    fn places_as_the_header_reads_them() {
        let x86 = |text| argument(Machine::X86_64, text);
        assert_eq!(x86("-4@$-5"), bytes(-5, 0, 0, SIGNED, 4, 0));
        assert_eq!(x86("8@%rax"), bytes(0, 80, 0, BASE, 8, 0));
        assert_eq!(x86("1@%bh"), bytes(0, 40, 0, BASE | BYTE2, 1, 0));
        assert_eq!(x86("-2@-6(%rbp,%rcx,2)"), bytes(-6, 32, 88, BASE | INDEX | MEMORY | SIGNED, 2, 1));
        assert_eq!(x86("8@%xmm0"), [0; ARGUMENT_BYTES]);
        assert_eq!(argument(Machine::X86, "4@4(%esp)"), bytes(4, 152, 0, BASE | MEMORY | ADDRESS32, 4, 0));
        let extended = bytes(0, 0, 8, BASE | INDEX | INDEX_S32 | MEMORY, 4, 2);
        assert_eq!(argument(Machine::Aarch64, "4@[x0, w1, sxtw 2]"), extended);
    }

    #[test]
    fn heads_have_cookie_and_count() {
        let arguments = parse_arguments(Machine::X86_64, "8@$1 8@$2");
        let record = encode(Machine::X86_64, &arguments, 0x1234);
        assert_eq!(record[..12], [0x34, 0x12, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
        let many = "8@$1 ".repeat(20);
        let record = encode(Machine::X86_64, &parse_arguments(Machine::X86_64, &many), 0);
        assert_eq!(record[8], MAX_ARGUMENTS as u8);
    }
}
