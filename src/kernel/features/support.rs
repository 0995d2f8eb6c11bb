// SPDX-License-Identifier: Apache-2.0
//! The answer of a probe.

use crate::error::errno_name;
use std::fmt;
use std::io;

/// Errno values that the kernel gives to bpf(2) and that libc has no name for (include/linux/errno.h).
const ENOTSUPP: i32 = 524;

/// Whether a feature works here, and if not, what the kernel said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Support {
    /// It was used and worked.
    Supported,
    /// It was refused or is not there.
    Unsupported {
        /// What the kernel answered, when a system call was made.
        errno: Option<i32>,
        /// Where it was refused, in words.
        why: String,
    },
}

impl Support {
    /// Whether it works.
    pub fn is_supported(&self) -> bool {
        *self == Support::Supported
    }

    /// The errno of the refusal.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Support::Supported => None,
            Support::Unsupported { errno, .. } => *errno,
        }
    }

    /// Absent without a system call having been made.
    pub(super) fn absent(why: impl Into<String>) -> Self {
        Support::Unsupported { errno: None, why: why.into() }
    }

    /// Refused by the system call of step `at`.
    pub(super) fn refused(at: impl Into<String>, err: &io::Error) -> Self {
        Support::Unsupported { errno: err.raw_os_error(), why: at.into() }
    }
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Support::Supported => f.write_str("works"),
            Support::Unsupported { errno: None, why } => f.write_str(why),
            Support::Unsupported { errno: Some(ENOTSUPP), why } => write!(f, "{why}: ENOTSUPP"),
            Support::Unsupported { errno: Some(errno), why } => write!(f, "{why}: {}", errno_name(*errno)),
        }
    }
}

/// A probe's steps, each of which may end it with an answer.
pub(super) type Step<T> = Result<T, Support>;

/// The answer of a probe whose steps are over.
pub(super) fn answer(steps: Step<()>) -> Support {
    steps.map_or_else(|refusal| refusal, |()| Support::Supported)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_readable() {
        assert_eq!(Support::Supported.to_string(), "works");
        assert_eq!(Support::absent("no such file").to_string(), "no such file");
        let refused = |errno| Support::refused("BPF_MAP_CREATE", &io::Error::from_raw_os_error(errno)).to_string();
        assert_eq!(refused(libc::EINVAL), "BPF_MAP_CREATE: EINVAL");
        assert_eq!(refused(ENOTSUPP), "BPF_MAP_CREATE: ENOTSUPP");
    }
}
