// SPDX-License-Identifier: Apache-2.0
//! Uprobes and uretprobes.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::perf_probe::ProbePmu;
use super::{Mechanism, UprobePlace, UprobeTarget, cookie, library, uprobe_file};
use crate::bpf::link::Link;
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::program::LoadAs;
use crate::error::{Error, Result};

impl Object {
    /// Attaches a function to a place in a user program or library.
    pub fn attach_uprobe(&mut self, target: &UprobeTarget, function: &str) -> Result<ProbeId> {
        self.attach_uprobe_with_cookie(target, function, 0)
    }

    /// The same with a number that the program can ask for (`bpf_get_attach_cookie`), where the kernel has that.
    pub fn attach_uprobe_with_cookie(&mut self, target: &UprobeTarget, function: &str, cookie: u64) -> Result<ProbeId> {
        let kind = if target.retprobe { ProbeKind::Uretprobe } else { ProbeKind::Uprobe };
        let what = format!("cannot attach {} `{function}` to `{target}`", kind.name());
        if target.retprobe && matches!(target.place, UprobePlace::Symbol(_, 1..)) {
            return Err(Error::script(what, "a return probe has no offset"));
        }
        cookie::require(&what, kind, cookie)?;
        let path = library::find(&target.name, target.pid, &what)?;
        let offset = uprobe_file::offset(&path, &target.place, target.pid, &what)?;
        if target.retprobe && uprobe_file::entry_offset(&path) == Some(offset) {
            return Err(Error::script(what, "nothing calls the place where a program starts, and it does not return")
                .with_note(
                    "a return probe would overwrite the number of arguments, which lies where a return address would",
                ));
        }
        let pmu = ProbePmu::uprobe()?;
        let program = self.load_as(function, &LoadAs::Uprobe)?;
        let file = CString::new(path.as_os_str().as_bytes()).unwrap_or_default();
        let link = pmu
            .open(Some(&file), offset, target.retprobe, target.pid)
            .and_then(|event| Link::perf(&program, event, cookie))
            .map_err(|err| cannot_probe(&what, &path, offset, target.pid, &err))?;
        let mut attached = Attached::one(link, Mechanism::Uprobe);
        attached.resolved.push(format!("{}:{offset:#x}", path.display()));
        self.keep_probe(kind, target.to_string(), function, attached)
    }
}

/// The error of a place in a file that the kernel did not probe.
pub(super) fn cannot_probe(what: &str, path: &Path, offset: u64, pid: Option<i32>, err: &io::Error) -> Error {
    let errno = err.raw_os_error().unwrap_or_default();
    let place = format!("`{}` at offset {offset:#x}", path.display());
    let error = match (errno, pid) {
        (libc::ESRCH, Some(pid)) => Error::machine(what, format!("there is no process {pid}")),
        (libc::EINVAL | libc::EIO | libc::EILSEQ | libc::EOPNOTSUPP | 524, _) => {
            Error::script(what, "there is no instruction that can be probed")
        }
        _ => return Error::io(what, err).with_evidence(place),
    };
    error.with_errno(errno).with_evidence(place)
}
