// SPDX-License-Identifier: Apache-2.0
//! Attachments with a number of the user's, which the program asks for with `bpf_get_attach_cookie`, on kernels that have
//! none for them.

use std::io;

use crate::bpf::link::refused;
use crate::bpf::probe::ProbeKind;
use crate::error::Error;
use crate::kernel::features::{Feature, supports};

/// The error of a link that the kernel did not make: with a cookie, EINVAL mostly says that it has none for this kind.
pub fn refused_with(what: impl Into<String>, kind: ProbeKind, cookie: u64, err: &io::Error) -> Error {
    match err.raw_os_error() {
        Some(errno @ libc::EINVAL) if cookie != 0 => {
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
        ProbeKind::Fentry => "fentry programs",
        ProbeKind::Fexit => "fexit programs",
        ProbeKind::FmodRet => "fmod_ret programs",
        ProbeKind::Lsm => "LSM programs",
        ProbeKind::TpBtf | ProbeKind::RawTracepoint => "raw tracepoints",
        _ => "attachments of this kind",
    }
}
