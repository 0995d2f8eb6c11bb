// SPDX-License-Identifier: Apache-2.0
//! Attachments with a number of the user's, which the program asks for with `bpf_get_attach_cookie`, on kernels that have
//! none for them.

use std::io;

use crate::bpf::link::refused;
use crate::bpf::probe::ProbeKind;
use crate::error::{Error, Result};
use crate::kernel::features::{Feature, supports};

/// Fails when a cookie is asked for that this kernel has not for perf events, through which kprobes, uprobes and tracepoints
/// are attached: without a link, the program would run and ask for it in vain.
pub fn require(what: &str, kind: ProbeKind, cookie: u64) -> Result<()> {
    if cookie == 0 || supports(Feature::BpfCookie).is_supported() {
        return Ok(());
    }
    let error = Error::machine(what, format!("{} of this kernel carry no cookie", plural(kind)));
    let error = error.with_evidence(format!("`cookie = {cookie}` would be lost"));
    Err(error.with_hint("attach it without `cookie`"))
}

/// The error of a link that the kernel did not make: with a cookie, EINVAL mostly says that it has none for this kind.
pub fn refused_with(what: impl Into<String>, kind: ProbeKind, cookie: u64, err: &io::Error) -> Error {
    match err.raw_os_error() {
        // Kernels that know nothing of cookies take the number for something behind the end of what they know.
        Some(errno @ (libc::EINVAL | libc::E2BIG)) if cookie != 0 => {
            let why = format!("{} of this kernel carry no cookie", plural(kind));
            let error = Error::machine(what, why).with_errno(errno);
            if supports(Feature::BpfCookie).is_supported() {
                error.with_hint("kprobes, uprobes, tracepoints and perf events of this kernel carry one")
            } else {
                error.with_hint("attach it without `cookie`")
            }
        }
        _ => refused(what, err),
    }
}

fn plural(kind: ProbeKind) -> &'static str {
    match kind {
        ProbeKind::Kprobe | ProbeKind::Kretprobe => "kprobes",
        ProbeKind::Uprobe | ProbeKind::Uretprobe => "uprobes",
        ProbeKind::Tracepoint => "tracepoints",
        ProbeKind::PerfEvent => "perf events",
        ProbeKind::Fentry => "fentry programs",
        ProbeKind::Fexit => "fexit programs",
        ProbeKind::FmodRet => "fmod_ret programs",
        ProbeKind::Lsm => "LSM programs",
        ProbeKind::TpBtf | ProbeKind::RawTracepoint => "raw tracepoints",
        _ => "attachments of this kind",
    }
}
