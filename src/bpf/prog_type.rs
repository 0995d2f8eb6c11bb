// SPDX-License-Identifier: Apache-2.0
//! Types of programs and of attachments, by the names that users give them.
//!
//! libbpf has the one list of both: what it calls `cgroup_skb`, bcc's Python calls `BPFProgType.CGROUP_SKB`, bcc's Lua
//! and the kernel `BPF_PROG_TYPE_CGROUP_SKB`. All three are understood.

use std::fmt;

use super::sys::names;
use crate::error::{Error, Result};
use crate::suggest;

/// A type of program, `BPF_PROG_TYPE_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProgType(pub u32);

/// A type of attachment, `BPF_CGROUP_INET_INGRESS` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttachType(pub u32);

impl ProgType {
    /// From a name: `SCHED_CLS`, `sched_cls`, `BPF_PROG_TYPE_SCHED_CLS`; the error lists near ones.
    pub fn parse(name: &str) -> Result<ProgType> {
        let wanted = plain(name, "bpf_prog_type_");
        let found = Self::all().find(|known| known.name() == wanted);
        found.ok_or_else(|| unknown("type of program", name, Self::all().map(ProgType::name)))
    }

    /// In small letters, without prefix: `sched_cls`.
    pub fn name(self) -> &'static str {
        names::prog_type(self.0).unwrap_or("unknown")
    }

    /// The attachment of types that have just one; of the others, the one with number 0, which says nothing.
    pub(super) fn only_attachment(self) -> AttachType {
        AttachType(match self.0 {
            libbpf_sys::BPF_PROG_TYPE_XDP => libbpf_sys::BPF_XDP,
            libbpf_sys::BPF_PROG_TYPE_SOCK_OPS => libbpf_sys::BPF_CGROUP_SOCK_OPS,
            libbpf_sys::BPF_PROG_TYPE_SK_MSG => libbpf_sys::BPF_SK_MSG_VERDICT,
            libbpf_sys::BPF_PROG_TYPE_CGROUP_DEVICE => libbpf_sys::BPF_CGROUP_DEVICE,
            libbpf_sys::BPF_PROG_TYPE_CGROUP_SYSCTL => libbpf_sys::BPF_CGROUP_SYSCTL,
            libbpf_sys::BPF_PROG_TYPE_CGROUP_SOCK => libbpf_sys::BPF_CGROUP_INET_SOCK_CREATE,
            libbpf_sys::BPF_PROG_TYPE_FLOW_DISSECTOR => libbpf_sys::BPF_FLOW_DISSECTOR,
            libbpf_sys::BPF_PROG_TYPE_SK_LOOKUP => libbpf_sys::BPF_SK_LOOKUP,
            libbpf_sys::BPF_PROG_TYPE_NETFILTER => libbpf_sys::BPF_NETFILTER,
            libbpf_sys::BPF_PROG_TYPE_LIRC_MODE2 => libbpf_sys::BPF_LIRC_MODE2,
            _ => 0,
        })
    }

    /// All but `unspec`, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = ProgType> {
        (1..).map_while(|number| names::prog_type(number).map(|_| ProgType(number)))
    }
}

impl AttachType {
    /// From a name: `CGROUP_INET_EGRESS`, with or without `BPF_`; the error lists near ones.
    pub fn parse(name: &str) -> Result<AttachType> {
        let wanted = plain(name, "bpf_");
        let found = Self::all().find(|known| known.name() == wanted);
        found.ok_or_else(|| unknown("type of attachment", name, Self::all().map(AttachType::name)))
    }

    /// From a name as [`parse`](AttachType::parse) takes it, or as libbpf's sections have it: `egress`, `connect4`,
    /// `stream_verdict`.
    pub fn parse_short(name: &str) -> Result<AttachType> {
        let prefixes = ["cgroup/", "cgroup_skb/", "sk_skb/", ""];
        let of_section = || prefixes.iter().find_map(|prefix| of_section(&format!("{prefix}{name}")));
        Self::parse(name)
            .or_else(|err| Self::parse(&format!("cgroup_{name}")).map_err(|_| err))
            .or_else(|err| of_section().map(|(_, attach)| attach).ok_or(err))
    }

    /// The type of the programs that are attached so, where that is known from the attachment.
    pub fn program(self) -> Option<ProgType> {
        let name = self.name();
        let any = |words: &[&str]| words.iter().any(|word| name.contains(word));
        Some(ProgType(match name {
            "cgroup_inet_ingress" | "cgroup_inet_egress" => libbpf_sys::BPF_PROG_TYPE_CGROUP_SKB,
            "cgroup_sock_ops" => libbpf_sys::BPF_PROG_TYPE_SOCK_OPS,
            "cgroup_device" => libbpf_sys::BPF_PROG_TYPE_CGROUP_DEVICE,
            "cgroup_sysctl" => libbpf_sys::BPF_PROG_TYPE_CGROUP_SYSCTL,
            "sk_msg_verdict" => libbpf_sys::BPF_PROG_TYPE_SK_MSG,
            "lirc_mode2" => libbpf_sys::BPF_PROG_TYPE_LIRC_MODE2,
            "flow_dissector" => libbpf_sys::BPF_PROG_TYPE_FLOW_DISSECTOR,
            "sk_lookup" => libbpf_sys::BPF_PROG_TYPE_SK_LOOKUP,
            "xdp" => libbpf_sys::BPF_PROG_TYPE_XDP,
            "netfilter" => libbpf_sys::BPF_PROG_TYPE_NETFILTER,
            _ if name.starts_with("sk_skb_") => libbpf_sys::BPF_PROG_TYPE_SK_SKB,
            _ if name.starts_with("tcx_") || name.starts_with("netkit_") => libbpf_sys::BPF_PROG_TYPE_SCHED_CLS,
            _ if any(&["sockopt"]) => libbpf_sys::BPF_PROG_TYPE_CGROUP_SOCKOPT,
            _ if any(&["sock_create", "sock_release", "post_bind"]) => libbpf_sys::BPF_PROG_TYPE_CGROUP_SOCK,
            _ if any(&["_bind", "connect", "sendmsg", "recvmsg", "getpeername", "getsockname"]) => {
                libbpf_sys::BPF_PROG_TYPE_CGROUP_SOCK_ADDR
            }
            _ => return None,
        }))
    }

    /// In small letters, without prefix: `cgroup_inet_egress`.
    pub fn name(self) -> &'static str {
        names::attach_type(self.0).unwrap_or("unknown")
    }

    /// All, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = AttachType> {
        (0..).map_while(|number| names::attach_type(number).map(|_| AttachType(number)))
    }
}

impl fmt::Display for ProgType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for AttachType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What libbpf makes of a section's name: `cgroup/connect4` is a program of one type for one type of attachment.
fn of_section(section: &str) -> Option<(ProgType, AttachType)> {
    let (prog, attach) = names::types_of_section(section)?;
    Some((ProgType(prog), AttachType(attach)))
}

fn plain(name: &str, prefix: &str) -> String {
    let name = name.to_ascii_lowercase();
    name.strip_prefix(prefix).map_or(name.clone(), str::to_owned)
}

fn unknown(noun: &str, name: &str, known: impl Iterator<Item = &'static str>) -> Error {
    let known: Vec<String> = known.map(str::to_ascii_uppercase).collect();
    let error = Error::script(format!("no {noun} `{name}`"), "unknown name");
    let near = suggest::nearest(&plain(name, "bpf_prog_type_").to_ascii_uppercase(), known.iter().map(String::as_str));
    match suggest::similar_line(&near) {
        Some(line) => error.with_hint(line),
        None => error.with_note(format!("there are: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_types_by_all_their_names() {
        for name in ["SCHED_CLS", "sched_cls", "BPF_PROG_TYPE_SCHED_CLS"] {
            assert_eq!(ProgType::parse(name).unwrap(), ProgType(libbpf_sys::BPF_PROG_TYPE_SCHED_CLS));
        }
        assert_eq!(ProgType::parse("CGROUP_SOCKOPT").unwrap(), ProgType(libbpf_sys::BPF_PROG_TYPE_CGROUP_SOCKOPT));
        let err = ProgType::parse("SCHED_CSL").unwrap_err();
        assert!(err.report().contains("similar: SCHED_CLS"), "{}", err.report());
    }

    #[test]
    fn attach_types_by_all_their_names() {
        for name in ["CGROUP_INET_EGRESS", "BPF_CGROUP_INET_EGRESS", "cgroup_inet_egress"] {
            assert_eq!(AttachType::parse(name).unwrap(), AttachType(libbpf_sys::BPF_CGROUP_INET_EGRESS));
        }
        assert_eq!(AttachType::parse("MODIFY_RETURN").unwrap(), AttachType(libbpf_sys::BPF_MODIFY_RETURN));
        assert!(AttachType::parse("SIDEWAYS").is_err());
        for (short, long) in [
            ("egress", "cgroup_inet_egress"),
            ("sock_ops", "cgroup_sock_ops"),
            ("connect4", "cgroup_inet4_connect"),
            ("dev", "cgroup_device"),
            ("stream_verdict", "sk_skb_stream_verdict"),
            ("sk_msg", "sk_msg_verdict"),
        ] {
            assert_eq!(AttachType::parse_short(short).unwrap().name(), long);
        }
        assert!(AttachType::parse_short("sideways").is_err());
    }

    #[test]
    fn sections_have_types() {
        let connect =
            (ProgType(libbpf_sys::BPF_PROG_TYPE_CGROUP_SOCK_ADDR), AttachType(libbpf_sys::BPF_CGROUP_INET4_CONNECT));
        assert_eq!(of_section("cgroup/connect4"), Some(connect));
        assert_eq!(of_section("cgroup/nothing"), None);
    }

    /// libbpf's own sections are the truth for the table in [`AttachType::program`].
    #[test]
    fn attachments_name_the_type_of_their_programs() {
        let sections = [
            "cgroup_skb/egress",
            "cgroup/sock_create",
            "cgroup/sock_release",
            "cgroup/post_bind6",
            "cgroup/bind4",
            "cgroup/connect_unix",
            "cgroup/sendmsg6",
            "cgroup/recvmsg4",
            "cgroup/getpeername4",
            "cgroup/getsockname6",
            "cgroup/sysctl",
            "cgroup/getsockopt",
            "cgroup/setsockopt",
            "cgroup/dev",
            "sockops",
            "sk_skb/stream_parser",
            "sk_skb/verdict",
            "sk_msg",
            "lirc_mode2",
            "flow_dissector",
            "sk_lookup",
            "tcx/egress",
            "netkit/peer",
            "xdp",
            "netfilter",
        ];
        for section in sections {
            let (prog, attach) = of_section(section).unwrap();
            assert_eq!(attach.program(), Some(prog), "{section}");
        }
        assert_eq!(AttachType(libbpf_sys::BPF_TRACE_FENTRY).program(), None);
    }
}
