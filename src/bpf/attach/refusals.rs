// SPDX-License-Identifier: Apache-2.0
//! What this kernel was found to refuse, so that it is asked once only.

use std::io;
use std::sync::{Mutex, PoisonError};

use super::Mechanism;
use crate::error::{Error, errno_name};

static REFUSED: Mutex<Vec<(Mechanism, String)>> = Mutex::new(Vec::new());

/// Why this kernel refused a mechanism before, if it did.
pub fn reason(mechanism: Mechanism) -> Option<String> {
    let refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
    refused.iter().find(|(known, _)| *known == mechanism).map(|(_, why)| why.clone())
}

/// Remembers that this kernel refuses a mechanism, whatever the program or the target.
pub fn note(mechanism: Mechanism, why: &str, err: &io::Error) {
    let errno = err.raw_os_error().map(|errno| format!(" ({})", errno_name(errno))).unwrap_or_default();
    let mut refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
    refused.push((mechanism, format!("{why}{errno}")));
}

/// Remembers that this kernel takes no fentry programs, if that is what a failed load says: a refusal without a word of
/// the verifier is not about the program.
pub fn note_fentry(err: &Error) {
    if let (Some(errno @ (libc::EPERM | libc::EINVAL)), None) = (err.errno(), err.log()) {
        note(Mechanism::Fentry, err.why(), &io::Error::from_raw_os_error(errno));
    }
}

/// An error as the reason why another mechanism was taken.
pub fn in_short(err: &Error) -> String {
    match err.errno() {
        Some(errno) => format!("{} ({})", err.why(), errno_name(errno)),
        None => err.why().to_owned(),
    }
}
