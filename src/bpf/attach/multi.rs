// SPDX-License-Identifier: Apache-2.0
//! Sections that stand for many functions through one link, and those that see entry and return of a call in one program:
//! `uprobe.multi`, `uretprobe.multi`, `kprobe.session`, `uprobe.session`.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use super::functions::Resolved;
use super::usdt::filters_processes;
use super::user_functions::{find_user_file, user_functions};
use super::{KprobeTarget, Mechanism, UprobePlace, UprobeTarget};
use crate::bpf::link::Link;
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ManyUprobes, ProbeId, ProbeKind};
use crate::bpf::program::LoadAs;
use crate::bpf::sys::link::UprobePlaces;
use crate::error::{Error, Result};

/// Functions of a file that a section names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UprobeMulti {
    /// A path or the name of a program or library.
    pub name: String,
    /// A regular expression over whole names.
    pub pattern: String,
    /// At their returns.
    pub retprobe: bool,
    /// At entry and return, in one program.
    pub session: bool,
}

impl Object {
    /// Attaches a function to the entries and the returns of all kernel functions whose whole names match.
    pub(super) fn attach_kprobe_session(&mut self, pattern: &str, function: &str) -> Result<ProbeId> {
        let what = format!("cannot attach kprobe session `{function}` to `/{pattern}/`");
        let resolved = Resolved::new(&KprobeTarget::matching(pattern), &what)?;
        let addresses = resolved.addresses();
        if addresses.contains(&0) {
            return Err(Error::machine(what, "the kernel hides its addresses (kernel.kptr_restrict)"));
        }
        let program = self.load_as(function, &LoadAs::Section)?;
        let link = Link::kprobe_session(&program, &addresses).map_err(|err| no_link(&what, "kprobe sessions", &err))?;
        let mut attached = Attached::one(link, Mechanism::KprobeSession);
        attached.resolved = resolved.names();
        attached.notes = resolved.notes;
        self.keep_probe(ProbeKind::Kprobe, format!("/{pattern}/"), function, attached)
    }

    /// Attaches a function to all functions of a file that match, through one link where the kernel has such links.
    pub(super) fn attach_uprobe_multi(&mut self, target: &UprobeMulti, function: &str) -> Result<ProbeId> {
        let UprobeMulti { name, pattern, retprobe, session } = target;
        let whole = format!("(?:{pattern})$");
        let what = format!("cannot attach `{function}` to `{name}:/{pattern}/`");
        let found = user_functions(name, None, &whole)?;
        if found.is_empty() {
            let error = Error::script(what, "no function of this file matches").with_errno(libc::ENOENT);
            return Err(error.with_note("the pattern must match the whole name"));
        }
        let place = UprobePlace::Address(0);
        let each = UprobeTarget { name: name.clone(), place, pid: None, retprobe: *retprobe };
        let (target, pattern, session) = (each.clone(), pattern.clone(), *session);
        let many = ManyUprobes { target, pattern, functions: found, session, load_as: LoadAs::Section };
        let refused = match self.attach_many(many, function) {
            Ok(Ok(probe)) => return Ok(probe),
            Ok(Err(err)) => no_link(&what, "links for many uprobes", &err),
            Err(err) => err,
        };
        // A kernel without such links refuses the program, or the link.
        if refused.log().is_some() || refused.errno() != Some(libc::EINVAL) || session {
            return Err(refused);
        }
        let probes = self.attach_uprobes(&each, &whole, function)?;
        probes.first().copied().ok_or_else(|| Error::bug(what, "no function to attach to"))
    }

    /// One link on several functions of a file; the inner error is the kernel's, of the link.
    pub(super) fn attach_many(
        &mut self,
        many: ManyUprobes,
        function: &str,
    ) -> Result<std::result::Result<ProbeId, io::Error>> {
        let ManyUprobes { target, pattern, functions, session, load_as } = &many;
        let program = self.load_as(function, load_as)?;
        if target.pid.is_some() && !filters_processes(&program) {
            return Ok(Err(io::ErrorKind::Unsupported.into()));
        }
        let path = find_user_file(&target.name, target.pid)?;
        let path = CString::new(path.as_os_str().as_bytes()).unwrap_or_default();
        let offsets: Vec<u64> = functions.iter().map(|function| function.offset).collect();
        let none = vec![0; offsets.len()];
        let places = UprobePlaces {
            path: &path,
            offsets: &offsets,
            counters: &none,
            cookies: &none,
            pid: target.pid.unwrap_or(0) as u32,
            retprobe: target.retprobe,
            session: *session,
        };
        let link = match Link::uprobe_multi(&program, &places) {
            Ok(link) => link,
            Err(err) => return Ok(Err(err)),
        };
        let mut attached = Attached::one(link, Mechanism::UprobeMulti);
        attached.resolved = functions.iter().map(|function| many.name_of(function)).collect();
        let kind = if target.retprobe { ProbeKind::Uretprobe } else { ProbeKind::Uprobe };
        let name = format!("{}:/{pattern}/{}", target.name, target.of_process());
        attached.many = Some(many);
        self.keep_probe(kind, name, function, attached).map(Ok)
    }
}

fn no_link(what: &str, links: &str, err: &io::Error) -> Error {
    match err.raw_os_error() {
        Some(errno @ (libc::EINVAL | libc::EOPNOTSUPP)) => {
            Error::machine(what, format!("this kernel has no {links}")).with_errno(errno)
        }
        _ => Error::io(what, err),
    }
}
