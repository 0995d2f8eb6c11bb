// SPDX-License-Identifier: Apache-2.0
//! Sets of capabilities, as `/proc/self/status` shows them.

use std::fmt;

/// The capabilities that tracing asks for; numbered by include/uapi/linux/capability.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Read files whatever their permissions: other processes' executables.
    DacReadSearch = 2,
    /// Attach programs to network devices.
    NetAdmin = 12,
    /// Look into other processes.
    SysPtrace = 19,
    /// Nearly everything; stands for `Bpf` and `Perfmon` and is what mounting takes.
    SysAdmin = 21,
    /// Raise the limit on locked memory.
    SysResource = 24,
    /// See kernel addresses.
    Syslog = 34,
    /// Trace other users' processes and the kernel.
    Perfmon = 38,
    /// Use bpf(2) to the full.
    Bpf = 39,
}

impl Capability {
    /// All of them.
    pub const ALL: [Capability; 8] = [
        Capability::DacReadSearch,
        Capability::NetAdmin,
        Capability::SysPtrace,
        Capability::SysAdmin,
        Capability::SysResource,
        Capability::Syslog,
        Capability::Perfmon,
        Capability::Bpf,
    ];

    /// The one of that name, in whatever letters: `CAP_BPF`, `cap_bpf`.
    pub fn named(name: &str) -> Option<Capability> {
        Capability::ALL.into_iter().find(|capability| capability.name().eq_ignore_ascii_case(name))
    }

    /// The name in capital letters: `CAP_BPF`.
    pub fn name(self) -> &'static str {
        match self {
            Capability::DacReadSearch => "CAP_DAC_READ_SEARCH",
            Capability::NetAdmin => "CAP_NET_ADMIN",
            Capability::SysPtrace => "CAP_SYS_PTRACE",
            Capability::SysAdmin => "CAP_SYS_ADMIN",
            Capability::SysResource => "CAP_SYS_RESOURCE",
            Capability::Syslog => "CAP_SYSLOG",
            Capability::Perfmon => "CAP_PERFMON",
            Capability::Bpf => "CAP_BPF",
        }
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(u64);

impl Capabilities {
    /// The set behind a key (`CapEff`) in the text of `/proc/PID/status`.
    pub fn parse_status(status: &str, key: &str) -> Option<Self> {
        let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        u64::from_str_radix(line.trim(), 16).ok().map(Capabilities)
    }

    /// Whether the set holds this one.
    pub fn has(self, capability: Capability) -> bool {
        self.0 >> (capability as u32) & 1 == 1
    }

    /// Whether programs that trace the kernel may be loaded with this set.
    pub fn may_trace(self) -> bool {
        self.has(Capability::SysAdmin) || (self.has(Capability::Bpf) && self.has(Capability::Perfmon))
    }

    /// Those of `wanted` that the set lacks.
    pub fn lacking(self, wanted: &[Capability]) -> Vec<Capability> {
        wanted.iter().copied().filter(|&capability| !self.has(capability)).collect()
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tx\nCapInh:\t0000000000000000\nCapEff:\t000001fffeffffff\nSeccomp:\t0\n";

    #[test]
    fn sets() {
        let set = Capabilities::parse_status(STATUS, "CapEff").unwrap();
        assert!(set.has(Capability::Bpf) && set.may_trace());
        assert_eq!(set.lacking(&[Capability::Bpf, Capability::SysResource]), [Capability::SysResource]);
        assert_eq!(set.to_string(), "000001fffeffffff");
        assert!(!Capabilities::default().may_trace());
        assert!(Capabilities(1 << 21).may_trace() && !Capabilities(1 << 39).may_trace());
        assert!(Capabilities(1 << 39 | 1 << 38).may_trace());
    }

    #[test]
    fn malformed_status() {
        for status in ["", "CapEff", "CapEff:", "CapEff:\txyz", "CapEff:\t1ffffffffffffffff"] {
            assert_eq!(Capabilities::parse_status(status, "CapEff"), None, "{status}");
        }
    }
}
