// SPDX-License-Identifier: Apache-2.0
//! Files of the kernel's that may be packed: its configuration (gzip) and its modules (gzip, xz or zstd, as it was built).

use std::io::Read as _;

const GZIP: [u8; 3] = [0x1f, 0x8b, 8];
const XZ: [u8; 6] = [0xfd, b'7', b'z', b'X', b'Z', 0];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What a file holds, unpacked if what it begins with says that it is packed; `None` when it is damaged, or more than
/// `limit` bytes.
pub fn unpack(bytes: Vec<u8>, limit: usize) -> Option<Vec<u8>> {
    if bytes.starts_with(&GZIP) {
        return unzip(&bytes, limit);
    }
    if bytes.starts_with(&XZ) {
        return read_whole(xz2::read::XzDecoder::new(&bytes[..]), limit);
    }
    if bytes.starts_with(&ZSTD) {
        return read_whole(ruzstd::decoding::StreamingDecoder::new(&bytes[..]).ok()?, limit);
    }
    (bytes.len() <= limit).then_some(bytes)
}

fn read_whole(packed: impl std::io::Read, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    packed.take(limit as u64 + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() <= limit).then_some(bytes)
}

/// Unpacks a gzip file of one member (RFC 1952).
fn unzip(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    const HEADER_CRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let (header, mut rest) = bytes.split_at_checked(10)?;
    let flags = header[3];
    if flags & EXTRA != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|&byte| byte == 0)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & HEADER_CRC != 0 {
        rest = rest.get(2..)?;
    }
    miniz_oxide::inflate::decompress_to_vec_with_limit(rest, limit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"CONFIG_BPF=y\n";
    /// The text by `gzip -c`, with a name in the header, `xz --check=crc32` and `zstd -19`.
    const PACKED: [(&str, &[u8]); 3] = [
        ("gzip", include_bytes!("../../tests/fixtures/packed/config.gz")),
        ("xz", include_bytes!("../../tests/fixtures/packed/config.xz")),
        ("zstd", include_bytes!("../../tests/fixtures/packed/config.zst")),
    ];

    #[test]
    fn every_way_to_pack() {
        for (name, packed) in PACKED {
            assert_eq!(unpack(packed.to_vec(), 100).as_deref(), Some(TEXT), "{name}");
            assert_eq!(unpack(packed.to_vec(), TEXT.len()).as_deref(), Some(TEXT), "{name}");
            assert_eq!(unpack(packed.to_vec(), TEXT.len() - 1), None, "{name}: too long");
        }
        assert_eq!(unpack(TEXT.to_vec(), 100).as_deref(), Some(TEXT));
        assert_eq!(unpack(TEXT.to_vec(), 5), None);
        assert_eq!(unpack(Vec::new(), 5), Some(Vec::new()));
    }

    #[test]
    fn damaged_files() {
        for (name, packed) in PACKED {
            // The first bytes alone are those of a file that is not packed, and a gzip file's last are its checksum.
            for end in 6..packed.len() - 8 {
                assert_ne!(unpack(packed[..end].to_vec(), 100).as_deref(), Some(TEXT), "{name} cut at {end}");
            }
            for at in 0..packed.len() {
                for value in 0..=255 {
                    let mut changed = packed.to_vec();
                    changed[at] = value;
                    // It may be another text; what counts is that it ends.
                    unpack(changed, 1000);
                }
            }
        }
    }
}
