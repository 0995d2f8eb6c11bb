// SPDX-License-Identifier: Apache-2.0
//! Netfilter: programs at the hooks where iptables and nftables have their chains.

use std::io;

use super::Mechanism;
use crate::bpf::link::Link;
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::prog_type::ProgType;
use crate::bpf::program::{LoadAs, Typed};
use crate::bpf::sys::link::Hook;
use crate::error::{Error, Result};
use crate::suggest;

/// `enum nf_inet_hooks`, in order.
const HOOKS: [&str; 5] = ["prerouting", "input", "forward", "output", "postrouting"];
/// What the kernel calls those that others call otherwise.
const ALIASES: [(&str, &str); 4] =
    [("pre_routing", "prerouting"), ("local_in", "input"), ("local_out", "output"), ("post_routing", "postrouting")];
/// Protocol families that programs can be hooked for, `NFPROTO_*`.
const FAMILIES: [(&str, u32); 2] = [("ipv4", 2), ("ipv6", 10)];
/// `BPF_F_NETFILTER_IP_DEFRAG`
const DEFRAGMENT: u32 = 1;

/// The request of `attach_netfilter`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetfilterTarget {
    family: u32,
    hook: u32,
    name: String,
    /// Low ones run first. The lowest and the highest number are the kernel's own.
    pub priority: i32,
    /// Packets that came in pieces are put together first.
    pub defragment: bool,
}

impl NetfilterTarget {
    /// A hook (`prerouting`, `input`, `forward`, `output`, `postrouting`) of a family (`ipv4`, `ipv6`).
    pub fn new(family: &str, hook: &str) -> Result<NetfilterTarget> {
        let plain = ALIASES.iter().find(|(alias, _)| *alias == hook).map_or(hook, |(_, name)| name);
        let number = HOOKS.iter().position(|known| *known == plain).ok_or_else(|| unknown("hook", hook, &HOOKS))?;
        let found = FAMILIES.iter().find(|(known, _)| *known == family);
        let (_, pf) = found.ok_or_else(|| unknown("family", family, &FAMILIES.map(|(name, _)| name)))?;
        let name = format!("{family} {plain}");
        Ok(NetfilterTarget { family: *pf, hook: number as u32, name, priority: 0, defragment: false })
    }

    fn name(&self) -> String {
        format!("{} at {}", self.name, self.priority)
    }
}

fn unknown(noun: &str, name: &str, known: &[&str]) -> Error {
    let error = Error::script(format!("no {noun} `{name}` of netfilter"), "unknown name");
    match suggest::similar_line(&suggest::nearest(name, known.iter().copied())) {
        Some(line) => error.with_hint(line),
        None => error.with_note(format!("there are: {}", known.join(", "))),
    }
}

impl Object {
    /// Attaches a function to a hook of netfilter in this network namespace: it returns 1 for packets that go on, 0 for
    /// those that are dropped.
    pub fn attach_netfilter(&mut self, target: &NetfilterTarget, function: &str) -> Result<ProbeId> {
        let what = format!("cannot attach `{function}` to netfilter ({})", target.name());
        let typed = Typed::new(ProgType(libbpf_sys::BPF_PROG_TYPE_NETFILTER));
        let program = self.load_as(function, &LoadAs::Typed(typed))?;
        let flags = if target.defragment { DEFRAGMENT } else { 0 };
        let hook = Hook { family: target.family, number: target.hook, priority: target.priority, flags };
        let link = Link::netfilter(&program, &hook).map_err(|err| refused(&what, target, &err))?;
        let attached = Attached::one(link, Mechanism::Link);
        self.keep_probe(ProbeKind::Netfilter, target.name(), function, attached)
    }

    /// Detaches from a hook of netfilter, one function or all.
    pub fn detach_netfilter(&mut self, target: &NetfilterTarget, function: Option<&str>) -> Result<()> {
        self.detach_at(ProbeKind::Netfilter, &target.name(), function)
    }
}

fn refused(what: &str, target: &NetfilterTarget, err: &io::Error) -> Error {
    let errno = err.raw_os_error().unwrap_or_default();
    let error = match errno {
        libc::EBUSY | libc::EEXIST => {
            let why = format!("there is a program of priority {} at this hook already", target.priority);
            Error::machine(what, why).with_hint("give another `priority`")
        }
        libc::ERANGE => Error::script(what, format!("the priority {} is the kernel's own", target.priority)),
        libc::EOPNOTSUPP | libc::EAFNOSUPPORT => {
            Error::machine(what, "this kernel cannot put packets together for netfilter programs")
        }
        _ => Error::io(what, err),
    };
    error.with_errno(errno)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_by_their_names() {
        let target = NetfilterTarget::new("ipv4", "local_in").unwrap();
        assert_eq!((target.family, target.hook, target.name().as_str()), (2, 1, "ipv4 input at 0"));
        assert_eq!(NetfilterTarget::new("ipv6", "postrouting").unwrap().hook, 4);
        assert!(NetfilterTarget::new("ipv4", "inptu").unwrap_err().report().contains("similar: input"));
        assert!(NetfilterTarget::new("arp", "input").unwrap_err().report().contains("there are: ipv4, ipv6"));
    }
}
