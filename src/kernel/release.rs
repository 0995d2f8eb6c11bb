// SPDX-License-Identifier: Apache-2.0
//! Which kernel runs: its release, the version number that `LINUX_VERSION_CODE` stands for, the machine.
//!
//! `uname -r` is not the whole truth: Debian and Ubuntu name their releases after the first upstream version of a
//! branch (`6.1.0-56-cloud-amd64`) and say elsewhere which stable version was built (`Debian 6.1.170-1`). The code is
//! that of the kernel that really runs. Nothing in bpflua decides by version; scripts may.

use crate::kernel::sys::os;
use std::fs;
use std::sync::OnceLock;

/// What overrides the version code, as in bcc.
pub const VERSION_CODE_VARIABLE: &str = "BCC_LINUX_VERSION_CODE";

/// A kernel version of three numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number, 0 when the release has only two.
    pub patch: u32,
}

impl Version {
    /// Reads `6.1.170`, `6.1.170-1`, `5.4.8+`, `7.2-rc3`: numbers up to the first thing that is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let major = leading_number(parts.next()?)?;
        let second = parts.next()?;
        let minor = leading_number(second)?;
        // After `7.2-rc3` a further dot starts no patch number.
        let goes_on = second.bytes().all(|byte| byte.is_ascii_digit());
        let patch = parts.next().filter(|_| goes_on).and_then(leading_number).unwrap_or(0);
        Some(Version { major, minor, patch })
    }

    /// The version of a kernel from its image, which holds the line of `/proc/version`.
    pub fn of_image(bytes: &[u8]) -> Option<Self> {
        const START: &[u8] = b"Linux version ";
        const MOST: usize = 512;
        let lines = memchr::memmem::find_iter(bytes, START).map(|at| &bytes[at + START.len()..]);
        let texts = lines.map(|rest| String::from_utf8_lossy(&rest[..rest.len().min(MOST)]).into_owned());
        texts
            .filter_map(|text| {
                let line = text.split(['\n', '\0']).next()?;
                let release = line.split_whitespace().next()?;
                // What `uname -v` says begins with `#`; before it the compiler is named, with a version of its own.
                let uname_version = line.split_once(" #").map_or("", |(_, version)| version);
                Some(real_version(release, uname_version, None)).filter(|version| version.major > 0)
            })
            .next()
    }

    /// The number that `KERNEL_VERSION(major, minor, patch)` gives; the kernel caps the patch at 255.
    pub fn code(self) -> u32 {
        (self.major & 0xffff) << 16 | (self.minor & 0xff) << 8 | self.patch.min(255)
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

fn leading_number(text: &str) -> Option<u32> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text.get(..digits)?.parse().ok()
}

/// The running kernel, as it names itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// `uname -r`: `6.1.0-56-cloud-amd64`.
    pub name: String,
    /// `uname -m`: `x86_64`.
    pub machine: String,
    /// The upstream version that was built.
    pub version: Version,
}

impl Release {
    /// The running kernel's; read once.
    pub fn running() -> &'static Release {
        static RUNNING: OnceLock<Release> = OnceLock::new();
        RUNNING.get_or_init(|| {
            let names = os::uname();
            let signature = fs::read_to_string("/proc/version_signature").ok();
            let version = real_version(&names.release, &names.version, signature.as_deref());
            Release { name: names.release, machine: names.machine, version }
        })
    }

    /// `LINUX_VERSION_CODE` for C texts: that of the kernel, unless the environment gives another.
    pub fn version_code(&self) -> u32 {
        let wanted = std::env::var(VERSION_CODE_VARIABLE).ok();
        wanted.as_deref().and_then(parse_version_code).unwrap_or_else(|| self.version.code())
    }
}

/// Reads the override: decimal, or hexadecimal with `0x`.
pub fn parse_version_code(text: &str) -> Option<u32> {
    let text = text.trim();
    let code = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => text.parse().ok()?,
    };
    (code > 0).then_some(code)
}

/// The version that was built, from what `uname -r`, `uname -v` and Ubuntu's `/proc/version_signature` say.
pub fn real_version(release: &str, uname_version: &str, signature: Option<&str>) -> Version {
    // "Ubuntu 5.4.0-12.15-generic 5.4.8": the third word is upstream's.
    let ubuntu = signature.and_then(|text| text.split_whitespace().nth(2)).and_then(Version::parse);
    // "#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-1 (2026-01-02)"
    let debian = uname_version.split_once("Debian ").and_then(|(_, rest)| Version::parse(rest));
    let named = Version::parse(release).unwrap_or(Version { major: 0, minor: 0, patch: 0 });
    ubuntu.or(debian).unwrap_or(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(major: u32, minor: u32, patch: u32) -> Version {
        Version { major, minor, patch }
    }

    #[test]
    fn releases_of_all_shapes() {
        assert_eq!(Version::parse("6.18.44-fc-v657"), Some(version(6, 18, 44)));
        assert_eq!(Version::parse("7.2"), Some(version(7, 2, 0)));
        assert_eq!(Version::parse("7.2-rc3"), Some(version(7, 2, 0)));
        assert_eq!(Version::parse("7.2-rc3.1"), Some(version(7, 2, 0)));
        assert_eq!(Version::parse("6.12.117+deb12-cloud-amd64"), Some(version(6, 12, 117)));
        for bad in ["", "x", "6", "6.", ".1", "99999999999.1"] {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn code_is_kernel_version() {
        assert_eq!(version(6, 1, 170).code(), 6 * 65536 + 256 + 170);
        assert_eq!(version(4, 9, 337).code(), 4 * 65536 + 9 * 256 + 255);
    }

    #[test]
    fn debian_and_ubuntu_tell_the_real_version() {
        let debian = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-1 (2026-01-02)";
        assert_eq!(real_version("6.1.0-56-cloud-amd64", debian, None), version(6, 1, 170));
        let ubuntu = Some("Ubuntu 5.4.0-12.15-generic 5.4.8\n");
        assert_eq!(real_version("5.4.0-12-generic", "#15-Ubuntu SMP", ubuntu), version(5, 4, 8));
        assert_eq!(real_version("6.18.44-fc", "#1 SMP", None), version(6, 18, 44));
        assert_eq!(real_version("6.18.44-fc", "Debian ", Some("Ubuntu")), version(6, 18, 44));
    }

    #[test]
    fn an_image_tells_its_version() {
        let banner = b"\x7fELF\0Linux version %s\0\0Linux version 6.1.0-50-cloud-amd64 (a@b) (gcc-12 (Debian 12.2.0-14) 12.2.0) #1 SMP \
            PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-01-02)\n\0";
        assert_eq!(Version::of_image(banner), Some(version(6, 1, 176)));
        assert_eq!(Version::of_image(b"Linux version 6.12.3-arch1 (x)\n"), Some(version(6, 12, 3)));
        assert_eq!(Version::of_image(b"BTF of nothing"), None);
    }

    #[test]
    fn the_override_takes_both_bases() {
        assert_eq!(parse_version_code("394506"), Some(394_506));
        assert_eq!(parse_version_code(" 0x60100 "), Some(0x60100));
        for bad in ["", "0", "-1", "six", "0x"] {
            assert_eq!(parse_version_code(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_running_kernel_has_a_version() {
        let release = Release::running();
        assert!(release.version.major >= 4, "{release:?}");
        assert!(!release.machine.is_empty());
    }
}
