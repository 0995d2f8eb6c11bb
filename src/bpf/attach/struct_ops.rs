// SPDX-License-Identifier: Apache-2.0
//! Structs of functions, which the kernel calls from the moment they are attached: by a link where the kernel has those
//! (6.4) and the C text asks for one, else by setting the one value of their map.

use std::io;
use std::rc::Rc;

use super::Mechanism;
use crate::bpf::link::{Link, Undo};
use crate::bpf::map::Map;
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::program::Program;
use crate::bpf::struct_ops::{StructOps, has_links};
use crate::bpf::sys;
use crate::error::{Error, Result};
use crate::suggest;

/// The only key of a map of functions.
const KEY: [u8; 4] = [0; 4];
/// The kernel's own errno for what it does not do; C has no name for it.
const ENOTSUPP: i32 = 524;

/// A struct of functions that was attached without a link; dropping it detaches it.
#[derive(Debug)]
pub struct Registration {
    map: Rc<Map>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        // What uses the functions keeps them until it is done.
        let _ = self.map.delete(&KEY);
    }
}

impl Object {
    /// The names of the structs of functions that the object attaches by itself.
    pub fn auto_struct_ops(&self) -> Vec<String> {
        self.struct_ops().iter().filter(|ops| ops.autoload).map(|ops| ops.name.clone()).collect()
    }

    /// Has the kernel call the functions of a variable in `.struct_ops` or `.struct_ops.link`. One that is attached
    /// already stays so.
    pub fn attach_struct_ops(&mut self, name: &str) -> Result<ProbeId> {
        let what = format!("cannot attach struct_ops `{name}`");
        let ops = self.struct_ops_of(name, &what)?.clone();
        if let Some(known) = self.probes.iter().find(|probe| probe.kind == ProbeKind::StructOps && probe.target == name)
        {
            return Ok(known.id);
        }
        let functions: Vec<String> = ops.functions().map(str::to_owned).collect();
        let programs = functions.iter().map(|function| self.load(function)).collect::<Result<Vec<Rc<Program>>>>()?;
        let Some((first, others)) = programs.split_first() else {
            return Err(Error::script(what, "none of its members is a function of the C text"));
        };
        let map = Rc::clone(self.map(name)?);
        set_value(&map, &ops, &programs).map_err(|err| refused(&what, &ops, &err))?;
        let (link, mechanism) = match ops.is_link {
            true => (Link::struct_ops(first, &map).map_err(|err| refused(&what, &ops, &err))?, Mechanism::Link),
            false => {
                let undo = Undo::StructOps(Registration { map });
                (Link::undone_by(first, undo), Mechanism::MapUpdate)
            }
        };
        let beside = others.iter().map(Link::beside);
        let mut attached = Attached::many(std::iter::once(link).chain(beside).collect(), mechanism);
        attached.resolved = vec![ops.record.clone()];
        if mechanism == Mechanism::MapUpdate {
            attached.notes.push("it stays attached if this process is killed with SIGKILL".to_owned());
        }
        self.keep_probe(ProbeKind::StructOps, name.to_owned(), &functions.join(", "), attached)
    }

    /// Detaches a struct of functions. What uses it at the moment keeps it until it is done.
    pub fn detach_struct_ops(&mut self, name: &str) -> Result<()> {
        self.struct_ops_of(name, &format!("cannot detach struct_ops `{name}`"))?;
        self.detach_where(ProbeKind::StructOps, name, |target| target == name, None)
    }

    fn struct_ops_of(&self, name: &str, what: &str) -> Result<&StructOps> {
        if let Some(found) = self.struct_ops().iter().find(|ops| ops.name == name) {
            return Ok(found);
        }
        let known: Vec<&str> = self.struct_ops().iter().map(|ops| ops.name.as_str()).collect();
        if known.is_empty() {
            let error = Error::script(what, "the C text has no variable in the section `.struct_ops.link`");
            return Err(error.with_note("one in `?.struct_ops` is left out where the kernel has no such struct"));
        }
        let error = Error::script(what, "the C text has no such variable in `.struct_ops` or `.struct_ops.link`");
        Err(match suggest::similar_line(&suggest::nearest(name, known.iter().copied())) {
            Some(line) => error.with_hint(line),
            None => error.with_note(format!("it has: {}", known.join(", "))),
        })
    }
}

/// Gives the kernel the functions. It takes them once; a map with a link can be attached again with what it has.
fn set_value(map: &Map, ops: &StructOps, programs: &[Rc<Program>]) -> io::Result<()> {
    use std::os::fd::AsFd as _;
    match sys::map::update(map.as_fd(), &KEY, &ops.value(programs), 0) {
        Err(err) if ops.is_link && err.raw_os_error() == Some(libc::EBUSY) => Ok(()),
        outcome => outcome,
    }
}

fn refused(what: &str, ops: &StructOps, err: &io::Error) -> Error {
    let record = &ops.record;
    let errno = err.raw_os_error().unwrap_or_default();
    let error = match errno {
        libc::EEXIST => Error::machine(what, format!("the kernel has a `struct {record}` of this name already")),
        libc::EBUSY | libc::EINPROGRESS if !ops.is_link => {
            let error = Error::script(what, "it was attached before, and the kernel takes it once only");
            match has_links() {
                true => error.with_hint("a variable in the section `.struct_ops.link` can be attached again"),
                false => error.with_hint("make the object anew: `BPF{…}`"),
            }
        }
        libc::EINVAL => Error::script(
            what,
            format!("the kernel does not take this `struct {record}`: a member that it needs is not set"),
        ),
        libc::EOPNOTSUPP | ENOTSUPP => {
            Error::script(what, format!("the kernel lets BPF be no `struct {record}` with all of these members"))
        }
        _ => return Error::io(what, err),
    };
    error.with_errno(errno)
}
