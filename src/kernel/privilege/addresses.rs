// SPDX-License-Identifier: Apache-2.0
//! Why the kernel shows zero in place of each of its addresses.

use super::capabilities::Capability;
use super::state::Privilege;
use crate::error::Error;

/// The error for kernel addresses that are hidden from this process; `what` is the first half of its headline.
pub fn addresses_hidden(what: &str) -> Error {
    Privilege::read().explain_hidden(what)
}

impl Privilege {
    /// What hides the addresses, and what shows them.
    pub fn explain_hidden(&self, what: &str) -> Error {
        let error = Error::machine(what, "the kernel shows its addresses as zero");
        match self.kptr_restrict {
            Some(restrict @ 2..) => error
                .with_evidence(format!("kernel.kptr_restrict = {restrict}: hidden from everybody"))
                .with_hint("have root run `sysctl kernel.kptr_restrict=1`"),
            restrict if !self.effective.has(Capability::Syslog) => {
                let setting = restrict.map_or_else(String::new, |value| format!("kernel.kptr_restrict = {value}; "));
                error.with_evidence(format!("{setting}uid {} lacks CAP_SYSLOG", self.uid)).with_hint(if self.uid == 0 {
                    "start it with CAP_SYSLOG"
                } else {
                    "run as root, or with CAP_SYSLOG"
                })
            }
            _ => error.with_evidence("neither kernel.kptr_restrict nor a lack of CAP_SYSLOG explains it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::privilege::Capabilities;

    #[test]
    fn the_setting_is_named_with_what_to_do() {
        let root = Privilege { kptr_restrict: Some(2), ..Privilege::default() };
        let text = root.explain_hidden("cannot resolve kernel addresses").report();
        assert_eq!(
            text,
            "error: cannot resolve kernel addresses: the kernel shows its addresses as zero\n  \
             kernel.kptr_restrict = 2: hidden from everybody\n\
             hint: have root run `sysctl kernel.kptr_restrict=1`\n"
        );
        let user = Privilege { uid: 1000, kptr_restrict: Some(1), ..Privilege::default() };
        let text = user.explain_hidden("cannot").report();
        assert!(text.contains("kernel.kptr_restrict = 1; uid 1000 lacks CAP_SYSLOG\n"), "{text}");
        assert!(text.contains("hint: run as root, or with CAP_SYSLOG\n"), "{text}");
        let effective = Capabilities::parse_status("CapEff:\t000001ffffffffff\n", "CapEff").unwrap();
        let odd = Privilege { effective, kptr_restrict: Some(0), ..Privilege::default() };
        assert!(!odd.explain_hidden("cannot").report().contains("hint:"));
    }
}
