// SPDX-License-Identifier: Apache-2.0
//! Traffic control: programs that see the packets that come to a device or leave it.

use std::io;

use super::{Mechanism, TcAttachment};
use crate::bpf::link::{Link, Undo};
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::prog_type::ProgType;
use crate::bpf::program::{LoadAs, Typed};
use crate::bpf::sys::net::TcFilter;
use crate::error::{Error, Result};
use crate::kernel::{devices, modules};

/// The request of `attach_tc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcTarget {
    /// The device's name.
    pub device: String,
    /// Packets that leave, not those that come.
    pub egress: bool,
    /// Among filters on `clsact`, low ones run first; 0 leaves it to the kernel.
    pub priority: u32,
    /// The filter's number on `clsact`; 0 leaves it to the kernel.
    pub handle: u32,
    /// The way; tcx where the kernel has it, else a filter on `clsact`.
    pub mechanism: Mechanism,
}

impl TcTarget {
    fn name(&self) -> String {
        format!("{} {}", self.device, if self.egress { "egress" } else { "ingress" })
    }
}

impl Object {
    /// Attaches a function to a device's traffic control; its result decides over the packet.
    pub fn attach_tc(&mut self, target: &TcTarget, function: &str) -> Result<ProbeId> {
        let what = format!("cannot attach `{function}` to traffic control of {}", target.name());
        let device = devices::index(&target.device, &what)?;
        let typed = Typed::new(ProgType(libbpf_sys::BPF_PROG_TYPE_SCHED_CLS));
        let program = self.load_as(function, &LoadAs::Typed(typed))?;
        let mut why = Vec::new();
        // A priority or a number is of a filter; links have none.
        let by_link = target.priority == 0 && target.handle == 0 && target.mechanism != Mechanism::Clsact;
        if by_link {
            let attach = if target.egress { libbpf_sys::BPF_TCX_EGRESS } else { libbpf_sys::BPF_TCX_INGRESS };
            match Link::create(&program, device as i32, attach, 0) {
                Ok(link) => {
                    let attached = Attached::one(link, Mechanism::Tcx);
                    return self.keep_probe(ProbeKind::Tc, target.name(), function, attached);
                }
                Err(err) if err.raw_os_error() == Some(libc::EINVAL) && target.mechanism == Mechanism::Auto => {
                    why.push("tcx: this kernel has none".to_owned());
                }
                Err(err) => return Err(no_tcx(&what, &err)),
            }
        }
        let filter = TcFilter { device, egress: target.egress, handle: target.handle, priority: target.priority };
        let made = TcAttachment::attach(&filter, &program).map_err(|err| refused(&what, target, &err))?;
        let numbers = format!("filter {:#x} of priority {}", made.filter().handle, made.filter().priority);
        let mut attached = Attached::one(Link::undone_by(&program, Undo::Filter(made)), Mechanism::Clsact);
        attached.why = why;
        attached.notes.push(numbers);
        attached.notes.push("it stays attached if this process is killed with SIGKILL".to_owned());
        self.keep_probe(ProbeKind::Tc, target.name(), function, attached)
    }

    /// Detaches from a device's traffic control, one function or all.
    pub fn detach_tc(&mut self, target: &TcTarget, function: Option<&str>) -> Result<()> {
        self.detach_at(ProbeKind::Tc, &target.name(), function)
    }
}

fn no_tcx(what: &str, err: &io::Error) -> Error {
    match err.raw_os_error() {
        Some(errno @ libc::EINVAL) => {
            Error::machine(what, "this kernel has no tcx links (from Linux 6.6 on)").with_errno(errno)
        }
        _ => Error::io(what, err),
    }
}

fn refused(what: &str, target: &TcTarget, err: &io::Error) -> Error {
    match err.raw_os_error() {
        Some(errno @ libc::EEXIST) => {
            let taken = format!("filter {:#x} of priority {} is there already", target.handle, target.priority);
            Error::machine(what, taken).with_errno(errno)
        }
        Some(errno @ libc::ENOENT) => {
            let why = "this kernel lacks the queueing discipline `clsact` or BPF filters";
            let error = Error::machine(what, why).with_errno(errno);
            let error = error.with_evidence("those are its modules `sch_ingress` and `cls_bpf`");
            match ["sch_ingress", "cls_bpf"].iter().all(|name| modules::is_installed(name)) {
                true => error.with_hint("load them: `modprobe -a sch_ingress cls_bpf`"),
                false => error,
            }
        }
        _ => Error::io(what, err),
    }
}
