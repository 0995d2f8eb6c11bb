// SPDX-License-Identifier: Apache-2.0
//! Iterators: programs that the kernel calls for each of its tasks, files, sockets, map elements, and whose output is
//! read like a file.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::Path;

use super::Mechanism;
use super::tracing::kind_of;
use crate::bpf::link::Link;
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::program::LoadAs;
use crate::bpf::sys::link::IterScope;
use crate::error::{Error, Result};

/// Iterators that go through a map and cannot be attached without one.
const OF_MAPS: [&str; 3] = ["bpf_map_elem", "bpf_sk_storage_map", "sockmap"];

/// bcc's prefix.
const PREFIX: &str = "bpf_iter__";

/// The request of `attach_iter`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IterTarget {
    /// Through this map of the object.
    pub map: Option<String>,
    /// Only this process.
    pub pid: Option<u32>,
    /// Only this thread.
    pub tid: Option<u32>,
    /// From this control group, by its folder.
    pub cgroup: Option<String>,
    /// How groups below it are gone through: `self`, `pre` (parents first), `post`, `up`.
    pub order: Option<String>,
}

/// The kernel object that an iterator's function goes through, from its section: `task` of `iter/task`.
pub(super) fn own_target(section: &str) -> Option<&str> {
    section.trim_start_matches('?').split_once('/').map(|(_, target)| target)
}

/// Whether it can be attached without being told of a map.
pub(super) fn needs_nothing(target: &str) -> bool {
    !OF_MAPS.contains(&target)
}

impl Object {
    /// Attaches an iterator; [`open_iter`](Object::open_iter) runs it.
    pub fn attach_iter(&mut self, target: &IterTarget, function: &str) -> Result<ProbeId> {
        let name = self.iterator(function)?;
        let found = self.function(&name)?;
        let what = format!("cannot attach iterator `{name}`");
        if kind_of(found) != Some(ProbeKind::Iter) {
            let error = Error::script(what, format!("its section is `{}`", found.section));
            return Err(error.with_hint("write it with `BPF_ITER(task)`, or put it into the section `iter/task`"));
        }
        let of = own_target(&found.section).unwrap_or_default().to_owned();
        if target.map.is_none() && !needs_nothing(&of) {
            return Err(Error::script(what, format!("`{of}` goes through a map")).with_hint("give the option `map`"));
        }
        let (scope, _open) = self.scope(target, &what)?;
        let program = self.load_as(&name, &LoadAs::Section)?;
        let link = Link::iter(&program, &scope).map_err(|err| refused(&what, &of, target, &err))?;
        let mut attached = Attached::one(link, Mechanism::Link);
        attached.notes.extend(target.describe());
        // A second attachment is meant to replace the first: its output is asked for by the function's name.
        let _ = self.detach_where(ProbeKind::Iter, &name, |_| true, Some(&name));
        self.keep_probe(ProbeKind::Iter, of, &name, attached)
    }

    /// Starts a run of an attached iterator: its output, read to the end, is that of one walk. An iterator that needs no
    /// map and is not attached is attached first.
    pub fn open_iter(&mut self, function: &str) -> Result<File> {
        let name = self.iterator(function)?;
        let of_it = |probe: &&crate::bpf::probe::Probe| probe.kind == ProbeKind::Iter && probe.function == name;
        if !self.probes.iter().any(|probe| of_it(&probe)) {
            self.attach_iter(&IterTarget::default(), &name)?;
        }
        let what = format!("cannot run iterator `{name}`");
        let link = self.probes.iter().find(of_it).and_then(|probe| probe.attached.links.first());
        let link = link.ok_or_else(|| Error::bug(&what, "it has no link"))?;
        link.open_iter().map(File::from).map_err(|err| Error::io(what, &err))
    }

    /// Detaches an iterator.
    pub fn detach_iter(&mut self, function: &str) -> Result<()> {
        let name = self.iterator(function)?;
        self.detach_where(ProbeKind::Iter, &name, |_| true, Some(&name))
    }

    /// The function's name; `task` is `bpf_iter__task`.
    fn iterator(&self, function: &str) -> Result<String> {
        let prefixed = format!("{PREFIX}{function}");
        let known = |name: &str| self.functions().iter().any(|known| known.name == name);
        if !known(function) && known(&prefixed) {
            return Ok(prefixed);
        }
        self.function(function).map(|found| found.name.clone())
    }

    /// What an iterator is limited to, with the descriptor that it names.
    fn scope(&self, target: &IterTarget, what: &str) -> Result<(IterScope, Option<OwnedFd>)> {
        if let Some(map) = &target.map {
            let fd = self.map(map)?.as_fd().as_raw_fd();
            return Ok((IterScope::Map(fd as u32), None));
        }
        if let Some(cgroup) = &target.cgroup {
            let folder =
                File::open(cgroup).map_err(|err| Error::io(what, &err).with_evidence(format!("`{cgroup}`")))?;
            let order = order(target.order.as_deref(), what)?;
            return Ok((IterScope::Cgroup { fd: folder.as_raw_fd() as u32, order }, Some(folder.into())));
        }
        Ok(match (target.pid, target.tid) {
            (None, None) => (IterScope::All, None),
            (Some(_), Some(_)) => return Err(Error::script(what, "`pid` or `tid` limits it, not both")),
            // The kernel takes any number, and the iterator of a process that does not exist is empty.
            (Some(id), None) | (None, Some(id)) if !Path::new("/proc").join(id.to_string()).exists() => {
                return Err(Error::machine(what, format!("there is no process {id}")).with_errno(libc::ESRCH));
            }
            (pid, tid) => (IterScope::Task { pid: pid.unwrap_or(0), tid: tid.unwrap_or(0) }, None),
        })
    }
}

impl IterTarget {
    fn describe(&self) -> Option<String> {
        let pid = self.pid.map(|pid| format!("process {pid} only"));
        let tid = self.tid.map(|tid| format!("thread {tid} only"));
        let map = self.map.as_ref().map(|map| format!("through map `{map}`"));
        pid.or(tid).or(map).or_else(|| self.cgroup.as_ref().map(|cgroup| format!("from `{cgroup}`")))
    }
}

fn order(order: Option<&str>, what: &str) -> Result<u32> {
    Ok(match order.unwrap_or("pre") {
        "self" => libbpf_sys::BPF_CGROUP_ITER_SELF_ONLY,
        "pre" => libbpf_sys::BPF_CGROUP_ITER_DESCENDANTS_PRE,
        "post" => libbpf_sys::BPF_CGROUP_ITER_DESCENDANTS_POST,
        "up" => libbpf_sys::BPF_CGROUP_ITER_ANCESTORS_UP,
        other => {
            let error = Error::script(what, format!("there is no order `{other}`"));
            return Err(error.with_note("there are: self, pre, post, up"));
        }
    })
}

fn refused(what: &str, of: &str, target: &IterTarget, err: &io::Error) -> Error {
    let errno = err.raw_os_error().unwrap_or_default();
    let error = match (errno, target.pid.or(target.tid), &target.map) {
        (libc::EINVAL, _, Some(map)) => Error::script(what, format!("`{of}` does not go through maps like `{map}`")),
        (libc::EINVAL, Some(_), _) => Error::machine(what, format!("`{of}` cannot be limited to a process here")),
        (libc::EINVAL, ..) if target.cgroup.is_some() => {
            Error::script(what, format!("`{of}` does not start at a control group"))
        }
        (libc::EACCES, ..) => Error::script(what, "it reads or writes more of a key or value than the map has"),
        _ => Error::io(what, err),
    };
    error.with_errno(errno)
}
