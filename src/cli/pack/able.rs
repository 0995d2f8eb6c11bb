// SPDX-License-Identifier: Apache-2.0
//! What a tool requires of the kernel and of its process, against what there is.

use crate::error::{Error, Result};
use crate::kernel::features::{Need, Support, TESTED_KERNELS};
use crate::kernel::privilege::{Capability, Privilege};
use crate::packs::catalog::Tool;
use crate::packs::entry::Requires;

/// Fails when this kernel or this process lacks what the tool says that it requires.
pub fn check(tool: &Tool) -> Result<()> {
    let Requires { features, capabilities, .. } = &tool.entry.requires;
    let lacks = |who: &str, what: &str| {
        let why = format!("this {who} lacks `{what}`, which pack `{}` requires", tool.pack.name);
        Error::machine(format!("cannot run `{}`", tool.name), why)
    };
    for word in features {
        let support = Need::named(word)?.support();
        if !support.is_supported() {
            let error = lacks("kernel", word).with_evidence(support.to_string());
            return Err(error.with_hint("`bpflua doctor` tells what this kernel has"));
        }
    }
    for name in capabilities {
        if !Privilege::read().effective.has(capability(name)?) {
            return Err(
                lacks("process", name).with_hint("root has it, and `bpflua doctor` tells what this process has")
            );
        }
    }
    Ok(())
}

fn capability(name: &str) -> Result<Capability> {
    Capability::named(name).ok_or_else(|| {
        let known: Vec<_> = Capability::ALL.iter().map(|capability| capability.name()).collect();
        Error::script(
            format!("cannot tell whether a process has `{name}`"),
            "it is no capability that tracing asks for",
        )
        .with_hint(format!("capabilities: {}", known.join(", ")))
    })
}

/// A line for each feature that not every kernel has, of those that the tools require. What this kernel lacks is no fault of the
/// pack; what nobody knows is.
pub fn lines(requires: &Requires, errors: &mut Vec<Error>) -> Vec<String> {
    errors.extend(requires.capabilities.iter().filter_map(|name| capability(name).err()));
    let mut lines = Vec::new();
    for word in &requires.features {
        match Need::named(word) {
            Ok(need) => lines.extend(need_line(word, need.lacking(), &need.support())),
            Err(error) => errors.push(error),
        }
    }
    lines
}

/// ``requires `uprobe-multi`: not in Linux 5.10, 6.1 (tested with …); not in this kernel (…)``; none when all have it.
fn need_line(word: &str, lacking: &[&str], here: &Support) -> Option<String> {
    let mut parts = Vec::new();
    if !lacking.is_empty() {
        parts.push(format!("not in Linux {} (tested with {})", lacking.join(", "), TESTED_KERNELS.join(", ")));
    }
    if !here.is_supported() {
        parts.push(format!("not in this kernel ({here})"));
    }
    (!parts.is_empty()).then(|| format!("requires `{word}`: {}\n", parts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_without_a_feature_are_named() {
        let here = Support::Unsupported { errno: None, why: "CONFIG_X is not set".to_owned() };
        let line = need_line("uprobe-multi", &["5.10", "6.1"], &here).unwrap();
        let tested = "5.10, 6.1, 6.12, 7.2";
        let expected = format!(
            "requires `uprobe-multi`: not in Linux 5.10, 6.1 (tested with {tested}); not in this kernel (CONFIG_X is not set)\n"
        );
        assert_eq!(line, expected);
        assert_eq!(need_line("btf", &[], &Support::Supported), None);
    }

    #[test]
    fn a_capability_that_is_none_is_told() {
        assert_eq!(capability("cap_bpf").unwrap(), Capability::Bpf);
        let told = capability("CAP_KILL_ALL").unwrap_err().report();
        assert!(told.contains("hint: capabilities: CAP_DAC_READ_SEARCH, "), "{told}");
        let requires = Requires { capabilities: vec!["CAP_X".into(), "CAP_SYSLOG".into()], ..Requires::default() };
        let mut errors = Vec::new();
        assert!(lines(&requires, &mut errors).is_empty() && errors.len() == 1);
    }
}
