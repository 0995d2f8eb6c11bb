// SPDX-License-Identifier: Apache-2.0
//! From bytes to the place of each type: the header, and one scan over the type section.

use std::ops::Range;

/// Bytes of the fixed part of every type record.
pub(super) const RECORD_BYTES: usize = 12;

const MAGIC: u16 = 0xeb9f;
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 24;
/// With the kind layout of Linux 7.1 and newer (`layout_off`, `layout_len`).
const LAYOUT_HEADER_BYTES: usize = 32;
const KIND_COUNT: usize = 128;

/// The u32 at `at`, in this machine's byte order; 0 beyond the end.
#[inline]
pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        Some(chunk) => u32::from_ne_bytes(*chunk),
        None => 0,
    }
}

/// The bytes before the first NUL; `None` when there is none. Names are short: eight bytes at a time beat a call.
#[inline]
pub(super) fn until_nul(bytes: &[u8]) -> Option<&[u8]> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let zeros = word.wrapping_sub(LOW) & !word & HIGH;
        if zeros != 0 {
            return bytes.get(..at + zeros.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let len = at + bytes.get(at..)?.iter().position(|byte| *byte == 0)?;
    bytes.get(..len)
}

/// The kind number of a record's `info` word.
#[inline]
pub(super) fn kind_of(info: u32) -> u32 {
    (info >> 24) & 0x7f
}

/// How many members, enumerators, parameters … follow a record. 16 bits up to Linux 7.0, 24 since; the bits between
/// were always 0.
#[inline]
pub(super) fn vlen_of(info: u32) -> usize {
    (info & 0x00ff_ffff) as usize
}

/// Bytes that follow a record's fixed part: `fixed`, and `each` per member.
#[derive(Clone, Copy)]
struct KindSize {
    fixed: u16,
    each: u16,
}

/// Where the sections are in the whole, and how long the records of each kind are.
pub(super) struct Sections {
    pub(super) types: Range<usize>,
    pub(super) strings: Range<usize>,
    sizes: [Option<KindSize>; KIND_COUNT],
}

fn known_sizes() -> [Option<KindSize>; KIND_COUNT] {
    let mut sizes = [None; KIND_COUNT];
    // Index = BTF_KIND_*: 1 INT … 19 ENUM64.
    let known: [(u16, u16); 20] = [
        (0, 0),
        (4, 0),
        (0, 0),
        (12, 0),
        (0, 12),
        (0, 12),
        (0, 8),
        (0, 0),
        (0, 0),
        (0, 0),
        (0, 0),
        (0, 0),
        (0, 0),
        (0, 8),
        (4, 0),
        (0, 12),
        (0, 0),
        (4, 0),
        (0, 0),
        (0, 12),
    ];
    for (slot, (fixed, each)) in sizes.iter_mut().zip(known).skip(1) {
        *slot = Some(KindSize { fixed, each });
    }
    sizes
}

fn section(bytes: &[u8], header_bytes: usize, offset: u32, len: u32, name: &str) -> Result<Range<usize>, String> {
    let start = header_bytes.checked_add(offset as usize);
    let range = start.and_then(|start| Some(start..start.checked_add(len as usize)?));
    match range {
        Some(range) if range.end <= bytes.len() => Ok(range),
        _ => Err(format!("the {name} section ends beyond the {} bytes there are", bytes.len())),
    }
}

impl Sections {
    /// Reads the header. The reason is in words, without the file's name.
    pub(super) fn parse(bytes: &[u8]) -> Result<Sections, String> {
        let Some(head) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(format!("{} bytes are too few for BTF", bytes.len()));
        };
        let magic = u16::from_ne_bytes([head[0], head[1]]);
        if magic == MAGIC.swap_bytes() {
            return Err("BTF of the other byte order".to_owned());
        }
        if magic != MAGIC {
            return Err("not BTF (the magic number is missing)".to_owned());
        }
        if head[2] != VERSION {
            return Err(format!("BTF version {}, only version {VERSION} is known", head[2]));
        }
        let header_bytes = u32_at(head, 4) as usize;
        if header_bytes < HEADER_BYTES || header_bytes > bytes.len() {
            return Err(format!("a BTF header of {header_bytes} bytes"));
        }
        let types = section(bytes, header_bytes, u32_at(head, 8), u32_at(head, 12), "type")?;
        let strings = section(bytes, header_bytes, u32_at(head, 16), u32_at(head, 20), "string")?;
        if bytes[strings.clone()].last().is_some_and(|last| *last != 0) {
            return Err("the string section has no end".to_owned());
        }
        let mut sections = Sections { types, strings, sizes: known_sizes() };
        if header_bytes >= LAYOUT_HEADER_BYTES {
            let range = section(bytes, header_bytes, u32_at(bytes, 24), u32_at(bytes, 28), "layout")?;
            sections.learn_sizes(&bytes[range]);
        }
        Ok(sections)
    }

    /// Takes the record sizes of kinds we do not know from the file itself (`struct btf_layout` of Linux 7.1), so that
    /// they can be stepped over.
    fn learn_sizes(&mut self, layout: &[u8]) {
        for (slot, entry) in self.sizes.iter_mut().zip(layout.chunks_exact(4)).skip(1) {
            slot.get_or_insert(KindSize { fixed: entry[0].into(), each: entry[1].into() });
        }
    }

    /// The offset of each type's record in the type section, in id order.
    pub(super) fn index(&self, types: &[u8]) -> Result<Vec<u32>, String> {
        let mut offsets = Vec::with_capacity(types.len() / 20);
        let mut at = 0;
        while at < types.len() {
            let info = u32_at(types, at + 4);
            let kind = kind_of(info);
            let Some(size) = self.sizes[kind as usize & (KIND_COUNT - 1)] else {
                return Err(format!("type {} is of the unknown kind {kind}", offsets.len() + 1));
            };
            offsets.push(at as u32);
            at += RECORD_BYTES + usize::from(size.fixed) + usize::from(size.each) * vlen_of(info);
        }
        if at != types.len() {
            return Err(format!("type {} ends beyond the type section", offsets.len()));
        }
        Ok(offsets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_at_the_first_nul() {
        for len in 0..40 {
            let mut bytes = vec![b'x'; len];
            assert_eq!(until_nul(&bytes), None);
            bytes.extend([0, b'y', 0x80, 0]);
            assert_eq!(until_nul(&bytes).map(<[u8]>::len), Some(len));
        }
    }
}
