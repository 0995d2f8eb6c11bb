// SPDX-License-Identifier: Apache-2.0
//! Kernel functions as fentry and fexit need them: a BTF id, and arguments that all fit registers.

use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};

use super::sys;
use crate::error::{Error, Result};
use crate::kernel::btf::{Btf, Func, Kind};
use crate::kernel::kallsyms::{self, Symbol};

/// More arguments than this do not fit the registers of any machine that bpflua runs on.
const REGISTER_ARGUMENTS: usize = 6;

/// Something in the kernel that a program is loaded for.
#[derive(Debug)]
pub struct BtfTarget {
    /// Its id in that BTF.
    pub id: u32,
    /// The kernel module's BTF; the kernel's own when none.
    pub btf: Option<OwnedFd>,
    /// How many arguments it has.
    pub arguments: usize,
    /// Why a trampoline cannot serve it, when it cannot.
    pub obstacle: Option<String>,
}

impl BtfTarget {
    /// A kernel function by name; `module:function` names one of a kernel module.
    pub fn function(name: &str) -> Result<BtfTarget> {
        let kernel = kernel()?;
        let (module, function) = match name.split_once(':') {
            Some(("vmlinux", function)) => (None, function),
            Some((module, function)) => (Some(module.to_owned()), function),
            None => (module_of(&kernel, name), name),
        };
        let Some(module) = module else {
            let found = kernel.func_by_name(function).ok_or_else(|| missing(function))?;
            return Ok(Self::of(&found, None));
        };
        let btf = Btf::kernel_module(kernel, &module)?;
        let found = btf.func_by_name(function).ok_or_else(|| missing(function))?;
        let fd = sys::btf::open_kernel_module(&module)
            .map_err(|err| Error::io(format!("cannot open the BTF of kernel module `{module}`"), &err))?;
        Ok(Self::of(&found, Some(fd)))
    }

    /// A tracepoint for `tp_btf`.
    pub fn tracepoint(event: &str) -> Result<BtfTarget> {
        Self::vmlinux(Kind::Typedef, &format!("btf_trace_{event}"), event)
    }

    /// An LSM hook.
    pub fn lsm(hook: &str) -> Result<BtfTarget> {
        Self::vmlinux(Kind::Func, &format!("bpf_lsm_{hook}"), hook)
    }

    fn vmlinux(kind: Kind, symbol: &str, name: &str) -> Result<BtfTarget> {
        let id = kernel()?.find(kind, symbol).ok_or_else(|| missing(name))?;
        Ok(BtfTarget { id: id.0, btf: None, arguments: 0, obstacle: None })
    }

    fn of(func: &Func<'_>, btf: Option<OwnedFd>) -> BtfTarget {
        let arguments = func.proto().map_or(0, |proto| proto.param_count());
        BtfTarget { id: func.id.0, btf, arguments, obstacle: obstacle(func) }
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

fn missing(name: &str) -> Error {
    Error::machine(format!("no `{name}` in the kernel's BTF"), "")
}

/// The kernel module that a function is of, when the kernel itself has none of this name.
fn module_of(kernel: &Btf, function: &str) -> Option<String> {
    if kernel.find(Kind::Func, function).is_some() {
        return None;
    }
    let symbols = kallsyms::shared().ok()?;
    let symbol = symbols.find_all(function).find(Symbol::is_code)?;
    symbol.kernel_module.map(str::to_owned)
}

/// The running kernel's BTF, opened once.
pub fn kernel() -> Result<Arc<Btf>> {
    static KERNEL: OnceLock<Arc<Btf>> = OnceLock::new();
    if let Some(btf) = KERNEL.get() {
        return Ok(Arc::clone(btf));
    }
    let btf = Arc::new(Btf::kernel()?);
    Ok(Arc::clone(KERNEL.get_or_init(|| btf)))
}
