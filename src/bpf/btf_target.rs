// SPDX-License-Identifier: Apache-2.0
//! Kernel functions as fentry and fexit need them: a BTF id, and arguments that all fit registers.

use std::os::fd::{BorrowedFd, OwnedFd};

use super::sys;
use crate::error::{Error, Result};
use crate::kernel::btf::{self, Btf, Func, Kind, Type};
use crate::kernel::kallsyms;
use crate::kernel::modules;
use crate::suggest;

/// More arguments than this do not fit the registers of any machine that bpflua runs on.
const REGISTER_ARGUMENTS: usize = 6;

/// Something in the kernel that a program is loaded for.
#[derive(Debug, Default)]
pub struct BtfTarget {
    /// Its id in that BTF.
    pub id: u32,
    /// The kernel module's BTF; the kernel's own when none.
    pub btf: Option<OwnedFd>,
    /// The program that it is a function of, when it is none of the kernel's.
    pub program: Option<OwnedFd>,
    /// How many arguments it has.
    pub arguments: usize,
    /// Why a trampoline cannot serve it, when it cannot.
    pub obstacle: Option<String>,
}

impl BtfTarget {
    /// A kernel function by name; `module:function` names one of a kernel module. `what` is the headline of an error.
    pub fn function(name: &str, what: &str) -> Result<BtfTarget> {
        let kernel = btf::shared()?;
        let (module, function) = match name.split_once(':') {
            Some(("vmlinux", function)) => (None, function),
            Some((module, function)) => (Some(module.to_owned()), function),
            None => (module_of(&kernel, name), name),
        };
        let Some(module) = module else {
            let found = kernel.func_by_name(function).ok_or_else(|| no_function(what, function, &kernel))?;
            return Ok(Self::of(&found, None));
        };
        if modules::btf_path(&module).is_none() {
            return Err(no_module(what, &module));
        }
        let btf = Btf::kernel_module(kernel, &module)?;
        let found = btf.own_func(function).map(|id| btf.type_by_id(id));
        let Some(Type::Func(found)) = found else { return Err(not_in_module(what, function, &module, &btf)) };
        let fd = sys::btf::open_kernel_module(&module)
            .map_err(|err| Error::io(format!("cannot open the BTF of kernel module `{module}`"), &err))?;
        Ok(Self::of(&found, Some(fd)))
    }

    /// A tracepoint for `tp_btf`.
    pub fn tracepoint(event: &str, what: &str) -> Result<BtfTarget> {
        Self::prefixed(Kind::Typedef, "btf_trace_", event, &format!("no raw tracepoint `{event}`"), what)
    }

    /// How many arguments a raw tracepoint hands to a program; `None` when the BTF does not say.
    pub fn raw_tracepoint_arguments(event: &str) -> Option<usize> {
        let kernel = btf::shared().ok()?;
        let Type::Typedef { to, .. } = kernel.type_by_id(kernel.find(Kind::Typedef, &format!("btf_trace_{event}"))?)
        else {
            return None;
        };
        let Type::Ptr(pointee) = kernel.type_by_id(kernel.resolve(to)) else { return None };
        let Type::FuncProto(proto) = kernel.type_by_id(pointee) else { return None };
        // The first is the tracepoint's own.
        proto.param_count().checked_sub(1)
    }

    /// An LSM hook.
    pub fn lsm(hook: &str, what: &str) -> Result<BtfTarget> {
        Self::prefixed(Kind::Func, "bpf_lsm_", hook, &format!("no security hook `{hook}`"), what)
    }

    /// What an iterator goes through.
    pub fn iterator(name: &str, what: &str) -> Result<BtfTarget> {
        Self::prefixed(Kind::Func, "bpf_iter_", name, &format!("no iterator over `{name}`"), what)
    }

    fn prefixed(kind: Kind, prefix: &str, name: &str, why: &str, what: &str) -> Result<BtfTarget> {
        let kernel = btf::shared()?;
        let symbol = format!("{prefix}{name}");
        let id = kernel
            .find(kind, &symbol)
            .ok_or_else(|| missing(what, format!("{why} in this kernel's BTF"), name, &names(&kernel, kind, prefix)))?;
        Ok(BtfTarget { id: id.0, ..BtfTarget::default() })
    }

    /// A function of another program, for `freplace`.
    pub fn replaced(replaced: &Replaced, what: &str) -> Result<BtfTarget> {
        let program = sys::prog::open(replaced.program).map_err(|err| Error::io(what, &err))?;
        Ok(BtfTarget { id: replaced.function, program: Some(program), ..BtfTarget::default() })
    }

    fn of(func: &Func<'_>, btf: Option<OwnedFd>) -> BtfTarget {
        let arguments = func.proto().map_or(0, |proto| proto.param_count());
        BtfTarget { id: func.id.0, btf, program: None, arguments, obstacle: obstacle(func) }
    }
}

/// A function of a loaded program that another program takes the place of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Replaced {
    /// The kernel's number for the program.
    pub program: u32,
    /// The function's id in the program's BTF.
    pub function: u32,
    /// Its name.
    pub name: String,
}

impl Replaced {
    /// A function by name, of the program behind a descriptor.
    pub fn find(program: BorrowedFd<'_>, function: &str, what: &str) -> Result<Replaced> {
        let info = sys::prog::info(program).map_err(|err| match err.raw_os_error() {
            Some(errno @ libc::EINVAL) => Error::script(what, "the descriptor is not a program's").with_errno(errno),
            _ => Error::io(what, &err),
        })?;
        if info.btf_id == 0 {
            return Err(Error::script(what, "that program was loaded without BTF, which says what its functions are"));
        }
        let bytes = sys::btf::read(info.btf_id).map_err(|err| Error::io(what, &err))?;
        let btf = Btf::from_bytes(bytes)?;
        let found = btf.func_by_name(function).ok_or_else(|| {
            let known: Vec<&str> = btf.find_all_names(Kind::Func).collect();
            let error = Error::script(what, format!("that program has no function `{function}`"));
            let error = error.with_note("only functions that are neither `static` nor inlined can be replaced");
            match suggest::similar_line(&suggest::nearest(function, known.iter().copied())) {
                Some(line) => error.with_hint(line),
                None => error.with_note(format!("it has: {}", known.join(", "))),
            }
        })?;
        Ok(Replaced { program: info.id, function: found.id.0, name: function.to_owned() })
    }

    /// The name of the program behind a descriptor, up to 15 characters of it.
    pub fn program_name(program: BorrowedFd<'_>) -> Option<String> {
        sys::prog::name_of(sys::prog::info(program).ok()?.id)
    }
}

fn obstacle(func: &Func<'_>) -> Option<String> {
    let Some(proto) = func.proto() else { return Some("its BTF has no prototype".to_owned()) };
    if proto.is_variadic() {
        return Some("it takes a variable number of arguments".to_owned());
    }
    if proto.param_count() > REGISTER_ARGUMENTS {
        return Some(format!("{} arguments do not fit registers", proto.param_count()));
    }
    (!proto.params_are_scalars_or_pointers()).then(|| "an argument is a struct by value".to_owned())
}

/// The names of a kind that begin with a prefix, without it, sorted.
fn names<'a>(btf: &'a Btf, kind: Kind, prefix: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> = btf.find_all_names(kind).filter_map(|name| name.strip_prefix(prefix)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn missing(what: &str, why: String, name: &str, known: &[&str]) -> Error {
    let error = Error::machine(what, why).with_errno(libc::ENOENT);
    let error = error.with_evidence(format!("searched: {} names", known.len()));
    match suggest::similar_line(&suggest::nearest(name, known.iter().copied())) {
        Some(line) => error.with_hint(line),
        None => error,
    }
}

/// The error of a function that the kernel's BTF does not have: it may exist all the same.
fn no_function(what: &str, name: &str, kernel: &Btf) -> Error {
    let exists = kallsyms::shared().is_ok_and(|symbols| symbols.count_functions(name) > 0);
    if exists {
        let why = format!("the kernel's BTF does not describe its function `{name}`");
        let error = Error::machine(what, why).with_errno(libc::ENOENT);
        return error.with_note("functions whose arguments are not all in their registers are left out");
    }
    missing(what, format!("no function `{name}` in this kernel's BTF"), name, &names(kernel, Kind::Func, ""))
}

/// The error of a function that a kernel module's BTF does not have: the kernel itself may.
fn not_in_module(what: &str, function: &str, module: &str, btf: &Btf) -> Error {
    let why = format!("kernel module `{module}` has no function `{function}` in its BTF");
    if btf.func_by_name(function).is_some() {
        let error = Error::machine(what, why).with_errno(libc::ENOENT);
        return error.with_hint(format!("`{function}` is the kernel's own: leave `{module}` out"));
    }
    let mut own: Vec<&str> =
        btf.own_type_ids().filter(|&id| btf.kind_of(id) == Kind::Func).map(|id| btf.name_of(id)).collect();
    own.sort_unstable();
    missing(what, why, function, &own)
}

fn no_module(what: &str, module: &str) -> Error {
    if modules::is_loaded(module) {
        return Error::machine(what, format!("kernel module `{module}` has no BTF"));
    }
    let error = Error::machine(what, format!("kernel module `{module}` is not loaded")).with_errno(libc::ENOENT);
    let loaded = modules::loaded();
    match suggest::similar_line(&suggest::nearest(module, loaded.iter().map(String::as_str))) {
        Some(line) => error.with_hint(line),
        None if modules::is_installed(module) => error.with_hint(format!("load it: `modprobe {module}`")),
        None => error,
    }
}

/// The kernel module that a function is of, when the kernel itself has none of this name.
fn module_of(kernel: &Btf, function: &str) -> Option<String> {
    if kernel.find(Kind::Func, function).is_some() {
        return None;
    }
    modules::of_function(function)
}
