// SPDX-License-Identifier: Apache-2.0
//! What the kernel was built with, where it says so. For evidence in messages only: what the kernel can do is tried.

use super::packed;
use crate::kernel::release::Release;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A kernel's configuration has some 300 KB; what unpacks to more than this is none.
const LIMIT_BYTES: usize = 8 << 20;

/// How an option is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `=y`
    Yes,
    /// `=m`
    KernelModule,
    /// A number or text, without quotes.
    Value(String),
    /// Said to be unset, or not mentioned because what it needs is unset.
    NotSet,
}

/// A kernel's configuration.
pub struct KernelConfig {
    text: String,
    path: PathBuf,
}

impl KernelConfig {
    /// The running kernel's, where it can be found; read once.
    pub fn running() -> Option<&'static KernelConfig> {
        static RUNNING: OnceLock<Option<KernelConfig>> = OnceLock::new();
        RUNNING.get_or_init(|| candidates(&Release::running().name).into_iter().find_map(read)).as_ref()
    }

    /// A configuration from its text; `path` is what messages call it.
    pub fn parse(text: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        KernelConfig { text: text.into(), path: path.into() }
    }

    /// Where it was found.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How an option is set; its name with or without `CONFIG_`.
    pub fn setting(&self, option: &str) -> Setting {
        let option = option.strip_prefix("CONFIG_").unwrap_or(option);
        let value = self.text.lines().find_map(|line| {
            line.strip_prefix("CONFIG_")?.strip_prefix(option)?.strip_prefix('=').map(|value| value.trim_matches('"'))
        });
        match value {
            Some("y") => Setting::Yes,
            Some("m") => Setting::KernelModule,
            Some("n") | None => Setting::NotSet,
            Some(value) => Setting::Value(value.to_owned()),
        }
    }

    /// A line of evidence about an option: `/proc/config.gz: CONFIG_KPROBES is not set`.
    pub fn evidence(&self, option: &str) -> String {
        let option = option.strip_prefix("CONFIG_").unwrap_or(option);
        let said = match self.setting(option) {
            Setting::Yes => format!("CONFIG_{option}=y"),
            Setting::KernelModule => format!("CONFIG_{option}=m"),
            Setting::Value(value) => format!("CONFIG_{option}={value}"),
            Setting::NotSet => format!("CONFIG_{option} is not set"),
        };
        format!("{}: {said}", self.path.display())
    }
}

/// The evidence that the running kernel was built without an option; `None` when it was built with it, or does not say.
pub fn evidence_unset(option: &str) -> Option<String> {
    let config = KernelConfig::running()?;
    (config.setting(option) == Setting::NotSet).then(|| config.evidence(option))
}

fn candidates(release: &str) -> Vec<PathBuf> {
    vec![
        PathBuf::from("/proc/config.gz"),
        PathBuf::from(format!("/boot/config-{release}")),
        PathBuf::from(format!("/lib/modules/{release}/config")),
        PathBuf::from(format!("/usr/lib/modules/{release}/config")),
        PathBuf::from(format!("/lib/modules/{release}/build/.config")),
    ]
}

fn read(path: PathBuf) -> Option<KernelConfig> {
    let plain = packed::unpack(fs::read(&path).ok()?, LIMIT_BYTES)?;
    let text = String::from_utf8(plain).ok()?;
    text.contains("CONFIG_").then(|| KernelConfig::parse(text, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "#\n# Linux\nCONFIG_BPF=y\n# CONFIG_KPROBES is not set\nCONFIG_VETH=m\n\
        CONFIG_LSM=\"landlock,bpf\"\nCONFIG_NR_CPUS=64\nCONFIG_BPF_JIT=y\nCONFIG_OFF=n\n";

    #[test]
    fn settings() {
        let config = KernelConfig::parse(TEXT, "/boot/config-x");
        assert_eq!(config.setting("BPF"), Setting::Yes);
        assert_eq!(config.setting("CONFIG_VETH"), Setting::KernelModule);
        assert_eq!(config.setting("LSM"), Setting::Value("landlock,bpf".to_owned()));
        assert_eq!(config.setting("NR_CPUS"), Setting::Value("64".to_owned()));
        for unset in ["KPROBES", "OFF", "NEVER_HEARD_OF", "BP", ""] {
            assert_eq!(config.setting(unset), Setting::NotSet, "{unset}");
        }
        assert_eq!(config.evidence("KPROBES"), "/boot/config-x: CONFIG_KPROBES is not set");
        assert_eq!(config.evidence("CONFIG_BPF"), "/boot/config-x: CONFIG_BPF=y");
    }

    #[test]
    fn the_running_kernels_if_it_shows_it() {
        match KernelConfig::running() {
            Some(config) => assert_eq!(config.setting("BPF_SYSCALL"), Setting::Yes),
            None => println!("skipped: no configuration of the running kernel is to be found"),
        }
    }
}
