// SPDX-License-Identifier: Apache-2.0
//! What this kernel was found to refuse, so that it is asked once only.

use std::sync::{Mutex, PoisonError};

use crate::error::Error;

use super::Mechanism;

static REFUSED: Mutex<Vec<(Mechanism, String)>> = Mutex::new(Vec::new());

/// Why this kernel refused a mechanism before, if it did.
pub fn reason(mechanism: Mechanism) -> Option<String> {
    let refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
    refused.iter().find(|(known, _)| *known == mechanism).map(|(_, why)| why.clone())
}

/// Remembers a refusal, when the error is the kernel's word about all programs of this kind: it comes without a
/// verifier log, and not from a name or a permission that another attempt may have.
pub fn note(mechanism: Mechanism, err: &Error) {
    let general = [libc::EPERM, libc::EINVAL, libc::EOPNOTSUPP, 524];
    if err.log().is_none() && err.errno().is_some_and(|errno| general.contains(&errno)) {
        let mut refused = REFUSED.lock().unwrap_or_else(PoisonError::into_inner);
        refused.push((mechanism, in_short(err)));
    }
}

/// An error as the reason why another mechanism was taken.
pub fn in_short(err: &Error) -> String {
    match err.errno() {
        Some(errno) => format!("{} ({})", err.why(), crate::error::errno_name(errno)),
        None => err.why().to_owned(),
    }
}
