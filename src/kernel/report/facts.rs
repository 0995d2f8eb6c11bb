// SPDX-License-Identifier: Apache-2.0
//! What the rows about features are made from, so that they can be made for machines other than this one.

use crate::kernel::config;
use crate::kernel::features::{self, Feature, Support};
use crate::kernel::privilege::Privilege;

/// Answers about a machine.
pub(super) struct Facts<'a> {
    /// Whether a feature works.
    pub support: &'a dyn Fn(Feature) -> Support,
    /// The evidence that an option of the kernel's configuration is unset.
    pub unset: &'a dyn Fn(&str) -> Option<String>,
    /// What this process may do.
    pub privilege: &'a Privilege,
}

impl<'a> Facts<'a> {
    /// Those of this machine.
    pub(super) fn of_this_machine(privilege: &'a Privilege) -> Self {
        Facts { support: &|feature| features::supports(feature).clone(), unset: &config::evidence_unset, privilege }
    }

    pub(super) fn works(&self, feature: Feature) -> bool {
        (self.support)(feature).is_supported()
    }

    /// Why a feature does not work: the option it is missing, if that is known, before what the kernel answered.
    pub(super) fn why_not(&self, support: &Support, options: &[&str]) -> String {
        if let Some(evidence) = options.iter().find_map(|option| (self.unset)(option)) {
            return evidence;
        }
        if self.is_refused_for_rights(support) {
            return format!("{support} (see capabilities)");
        }
        match support.errno() {
            // The usual cause is known not to be one.
            Some(libc::EPERM) => format!("{support}, though this process has the capabilities that it takes"),
            _ => support.to_string(),
        }
    }

    /// Whether the answer is what a process without the rights to trace gets for anything.
    pub(super) fn is_refused_for_rights(&self, support: &Support) -> bool {
        matches!(support.errno(), Some(libc::EPERM | libc::EACCES)) && !self.privilege.effective.may_trace()
    }
}
