// SPDX-License-Identifier: Apache-2.0
//! Tracepoints and raw tracepoints.

use std::io;

use super::cookie::{refused_with, require};
use super::tracing::kind_of;
use super::{Mechanism, perf_probe};
use crate::bpf::btf_target::BtfTarget;
use crate::bpf::link::{Link, or_refused};
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::program::LoadAs;
use crate::error::{Error, Result};
use crate::kernel::tracefs::Tracefs;
use crate::suggest;

impl Object {
    /// Attaches a function to a tracepoint, `category:event`.
    pub fn attach_tracepoint(&mut self, tracepoint: &str, function: &str) -> Result<ProbeId> {
        self.attach_tracepoint_with_cookie(tracepoint, function, 0)
    }

    /// The same with a number that the program can ask for (`bpf_get_attach_cookie`), where the kernel has that.
    pub fn attach_tracepoint_with_cookie(&mut self, tracepoint: &str, function: &str, cookie: u64) -> Result<ProbeId> {
        let what = format!("cannot attach `{function}` to tracepoint `{tracepoint}`");
        let Some((category, event)) = tracepoint.split_once(':') else {
            return Err(without_category(&what, tracepoint));
        };
        let tracefs = Tracefs::open()?;
        if !tracefs.has_tracepoint(category, event) {
            return Err(tracefs.no_such_tracepoint(&what, category, event));
        }
        require(&what, ProbeKind::Tracepoint, cookie)?;
        let id = tracefs.format(category, event)?.id;
        let program = self.load_as(function, &LoadAs::Tracepoint)?;
        let link = perf_probe::open_tracepoint(u64::from(id)).and_then(|event| Link::perf(&program, event, cookie));
        if link.as_ref().is_err_and(|err| err.raw_os_error() == Some(libc::EEXIST)) {
            return Err(Error::script(what, "it is attached there already").with_errno(libc::EEXIST));
        }
        let attached = Attached::one(or_refused(link, || what)?, Mechanism::Tracepoint);
        self.keep_probe(ProbeKind::Tracepoint, tracepoint.to_owned(), function, attached)
    }

    /// Attaches a function to every tracepoint whose `category:event` matches from its start, as in bcc. None is attached
    /// when one fails.
    pub fn attach_tracepoints(&mut self, pattern: &str, function: &str) -> Result<Vec<ProbeId>> {
        let what = format!("cannot attach `{function}` to tracepoints `/{pattern}/`");
        let known = Tracefs::open()?.tracepoints_matching(&format!("(?:{pattern}).*"))?;
        if known.is_empty() {
            let error = Error::script(what, "no tracepoint of this kernel matches").with_errno(libc::ENOENT);
            return Err(error.with_note("the expression must match `category:event` from its start"));
        }
        let mut probes = Vec::new();
        for one in known {
            match self.attach_tracepoint(&one, function) {
                Ok(probe) => probes.push(probe),
                Err(err) => {
                    self.detach_probes(&probes);
                    return Err(err);
                }
            }
        }
        Ok(probes)
    }

    /// Attaches a function to a raw tracepoint, by the event's name without its category. `cookie` is a number that the
    /// program can ask for (`bpf_get_attach_cookie`), where the kernel has that; 0 for none.
    pub fn attach_raw_tracepoint(&mut self, event: &str, function: &str, cookie: u64) -> Result<ProbeId> {
        let what = format!("cannot attach `{function}` to raw tracepoint `{event}`");
        if let Some((_, name)) = event.split_once(':') {
            let error = Error::script(what, "a raw tracepoint is named without its category");
            return Err(error.with_hint(format!("say `{name}`")));
        }
        if kind_of(self.function(function)?) == Some(ProbeKind::TpBtf) {
            return self.attach_tracing(Some(event), function, (cookie != 0).then_some(cookie));
        }
        let program = self.load_as(function, &LoadAs::RawTracepoint)?;
        let link = Link::raw_tracepoint(&program, event, cookie);
        let link = link.map_err(|err| no_raw_tracepoint(&what, event, cookie, &err))?;
        let attached = Attached::one(link, Mechanism::RawTracepoint);
        self.keep_probe(ProbeKind::RawTracepoint, event.to_owned(), function, attached)
    }
}

fn without_category(what: &str, event: &str) -> Error {
    let error = Error::script(what, "a tracepoint is named `category:event`");
    let known = Tracefs::find().and_then(|tracefs| tracefs.tracepoints().ok()).unwrap_or_default();
    let same = known.iter().filter(|known| known.split_once(':').is_some_and(|(_, name)| name == event));
    let same: Vec<&str> = same.map(String::as_str).take(suggest::LIMIT).collect();
    match suggest::similar_line(&same) {
        Some(line) => error.with_hint(line),
        None => error,
    }
}

fn no_raw_tracepoint(what: &str, event: &str, cookie: u64, err: &io::Error) -> Error {
    if cookie != 0 && matches!(err.raw_os_error(), Some(libc::EINVAL | libc::E2BIG)) {
        return refused_with(what, ProbeKind::RawTracepoint, cookie, err);
    }
    if err.raw_os_error() == Some(libc::EINVAL)
        && let Some(count) = BtfTarget::raw_tracepoint_arguments(event)
    {
        // The kernel compares what the program reads of its context with what the tracepoint has.
        let why = format!("the program reads `ctx->args` past the {count} arguments that it has in this kernel");
        return Error::script(what, why).with_errno(libc::EINVAL);
    }
    if err.raw_os_error() != Some(libc::ENOENT) {
        return Error::io(what, err);
    }
    let error = Error::machine(what, "no such raw tracepoint in this kernel").with_errno(libc::ENOENT);
    let known = Tracefs::find().and_then(|tracefs| tracefs.tracepoints().ok()).unwrap_or_default();
    let names = known.iter().filter_map(|known| known.split_once(':')).filter(|(category, _)| *category != "syscalls");
    let near = suggest::nearest(event, names.map(|(_, name)| name));
    if event.starts_with("sys_enter_") || event.starts_with("sys_exit_") {
        let raw = if event.starts_with("sys_enter_") { "sys_enter" } else { "sys_exit" };
        return error.with_hint(format!("`{event}` is a tracepoint only; the raw one for all system calls is `{raw}`"));
    }
    match suggest::similar_line(&near) {
        Some(line) => error.with_hint(line),
        None => error,
    }
}
