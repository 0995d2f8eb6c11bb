// SPDX-License-Identifier: Apache-2.0
//! Functions that take the place of a function of another program (`freplace`).

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use super::Mechanism;
use crate::bpf::btf_target::Replaced;
use crate::bpf::function::Function;
use crate::bpf::link::Link;
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::program::LoadAs;
use crate::bpf::sys::attach::duplicate;
use crate::error::{Error, Result};

/// The program of which a function is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplacedIn {
    /// A function of the same object, which is loaded as its section says if it is not yet.
    Own(String),
    /// A descriptor of a loaded program, of this object or another.
    Fd(i32),
}

/// The request of `attach_freplace`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreplaceTarget {
    /// The program.
    pub program: ReplacedIn,
    /// The function in it; what the section says when none, else the program's own.
    pub function: Option<String>,
}

impl Object {
    /// Puts a function in the place of a global function of a loaded program.
    pub fn attach_freplace(&mut self, target: &FreplaceTarget, function: &str) -> Result<ProbeId> {
        let what = format!("cannot attach `{function}` in place of another function");
        let found = self.function(function)?;
        if found.prog_type != libbpf_sys::BPF_PROG_TYPE_EXT {
            let error = Error::script(what, format!("its section is `{}`", found.section));
            return Err(error.with_hint("put it into the section `freplace/FUNCTION`"));
        }
        let replaced = replaced_name(found, target, &what)?;
        let what = format!("cannot attach `{function}` in place of `{replaced}`");
        let (fd, of) = self.open_replaced(&target.program, &what)?;
        let replaced = Replaced::find(fd.as_fd(), &replaced, &what)?;
        let place = format!("{} of {of}", replaced.name);
        let program = self.load_as(function, &LoadAs::Freplace(replaced.clone()))?;
        let link =
            Link::freplace(&program, fd.as_fd(), replaced.function).map_err(|err| refused(&what, &replaced, &err))?;
        self.keep_probe(ProbeKind::Freplace, place, function, Attached::one(link, Mechanism::Tracing))
    }

    /// The program, loaded, and its name for people.
    fn open_replaced(&mut self, program: &ReplacedIn, what: &str) -> Result<(OwnedFd, String)> {
        match program {
            ReplacedIn::Own(name) => {
                let fd = self.load(name)?.as_fd().try_clone_to_owned();
                Ok((fd.map_err(|err| Error::io(what, &err))?, name.clone()))
            }
            ReplacedIn::Fd(number) => {
                let fd = duplicate(*number).map_err(|err| Error::io(what, &err))?;
                let name = Replaced::program_name(fd.as_fd()).unwrap_or_else(|| format!("descriptor {number}"));
                Ok((fd, name))
            }
        }
    }
}

/// The name of the function that is replaced.
fn replaced_name(function: &Function, target: &FreplaceTarget, what: &str) -> Result<String> {
    let of_section = function.section.split_once('/').map(|(_, name)| name.to_owned());
    let of_program = match &target.program {
        ReplacedIn::Own(name) => Some(name.clone()),
        ReplacedIn::Fd(_) => None,
    };
    target.function.clone().or(of_section).or(of_program).ok_or_else(|| {
        let error = Error::script(what, "neither its section nor the option `func` says which");
        error.with_hint("say it: `SEC(\"freplace/FUNCTION\")`, or the option `func`")
    })
}

fn refused(what: &str, replaced: &Replaced, err: &io::Error) -> Error {
    let errno = err.raw_os_error().unwrap_or_default();
    match errno {
        libc::EBUSY => {
            let why = format!("`{}` is replaced already, or traced by fentry or fexit", replaced.name);
            Error::machine(what, why).with_errno(errno)
        }
        libc::EPERM | libc::EOPNOTSUPP => {
            Error::machine(what, "this kernel does not replace functions of programs").with_errno(errno)
        }
        _ => Error::io(what, err),
    }
}
