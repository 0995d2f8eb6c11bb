// SPDX-License-Identifier: Apache-2.0
//! What the kernel attaches by BTF: functions of the kernel and its modules at entry, return and in place of their
//! result, hooks of the security modules, typed raw tracepoints.

use super::cookie::refused_with;
use super::perf_probe::ProbePmu;
use super::{Mechanism, instead};
use crate::bpf::function::{Function, FunctionKind};
use crate::bpf::link::Link;
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::program::LoadAs;
use crate::error::{Error, Result};
use crate::kernel::config;
use crate::kernel::privilege::Privilege;

/// bcc's prefixes for kernel functions, `PREFIX MODULE__FUNCTION`, and of hooks.
const PREFIXES: [(ProbeKind, &str); 4] = [
    (ProbeKind::Fentry, "kfunc__"),
    (ProbeKind::Fexit, "kretfunc__"),
    (ProbeKind::FmodRet, "kmod_ret__"),
    (ProbeKind::Lsm, "lsm__"),
];

/// The kind of attachment that a function's section is for.
pub(super) fn kind_of(function: &Function) -> Option<ProbeKind> {
    match (function.prog_type, function.attach_type) {
        (libbpf_sys::BPF_PROG_TYPE_LSM, libbpf_sys::BPF_LSM_MAC) => Some(ProbeKind::Lsm),
        (libbpf_sys::BPF_PROG_TYPE_TRACING, attach) => Some(match attach {
            libbpf_sys::BPF_TRACE_FENTRY => ProbeKind::Fentry,
            libbpf_sys::BPF_TRACE_FEXIT => ProbeKind::Fexit,
            libbpf_sys::BPF_MODIFY_RETURN => ProbeKind::FmodRet,
            libbpf_sys::BPF_TRACE_RAW_TP => ProbeKind::TpBtf,
            libbpf_sys::BPF_TRACE_ITER => ProbeKind::Iter,
            _ => ProbeKind::Tracing,
        }),
        _ => None,
    }
}

/// What a function's section or name says it is for: `vfs_read`, `module:function`, a hook, an event.
pub(super) fn own_target(function: &Function) -> Option<String> {
    if let FunctionKind::Tracing(Some(target)) = &function.kind {
        return Some(target.clone());
    }
    let (kind, rest) = PREFIXES.iter().find_map(|(kind, prefix)| Some((kind, function.name.strip_prefix(prefix)?)))?;
    match (kind, rest.split_once("__")) {
        (ProbeKind::Fentry | ProbeKind::Fexit, Some((module, name))) => Some(format!("{module}:{name}")),
        (ProbeKind::FmodRet | ProbeKind::Lsm, _) if !rest.is_empty() => Some(rest.to_owned()),
        _ => None,
    }
}

impl Object {
    /// Attaches a function to what its section, its name or `target` says, by BTF. One that is attached there already
    /// stays so, unless it is to have a cookie.
    pub fn attach_tracing(&mut self, target: Option<&str>, function: &str, cookie: Option<u64>) -> Result<ProbeId> {
        let found = self.function(function)?;
        let what = format!("cannot attach `{function}`");
        let kind = kind_of(found).ok_or_else(|| not_for_btf(&what, found, None))?;
        let target = match target {
            Some(target) => target.to_owned(),
            None => own_target(found).ok_or_else(|| {
                let error = Error::script(&what, "neither its section nor its name says to what");
                error.with_hint(format!("say it: `SEC(\"{}/TARGET\")`, or the option `event`", kind.name()))
            })?,
        };
        let known = self.probes.iter().find(|probe| probe.is(kind, &target, function)).map(|probe| probe.id);
        if let (Some(known), None) = (known, cookie) {
            return Ok(known);
        }
        if kind == ProbeKind::Lsm {
            is_asked(&what)?;
        }
        let program =
            self.load_as(function, &LoadAs::Tracing(target.clone())).map_err(|err| refused(err, kind, &target))?;
        // One place takes a program once only.
        known.inspect(|known| self.detach_probes(&[*known]));
        let cookie = cookie.unwrap_or(0);
        let link = Link::tracing(&program, cookie)
            .map_err(|err| refused_with(format!("{what} to `{target}`"), kind, cookie, &err))?;
        let attached = Attached::one(link, Mechanism::Tracing);
        self.keep_probe(kind, target, function, attached)
    }

    /// As [`attach_tracing`](Object::attach_tracing), for a function of this kind; bcc's prefix may be left out of its name.
    pub fn attach_kind(
        &mut self,
        kind: ProbeKind,
        target: Option<&str>,
        function: &str,
        cookie: Option<u64>,
    ) -> Result<ProbeId> {
        let name = self.complete(kind, function)?;
        let found = self.function(&name)?;
        if kind_of(found) != Some(kind) {
            return Err(not_for_btf(&format!("cannot attach `{name}`"), found, Some(kind)));
        }
        self.attach_tracing(target, &name, cookie)
    }

    /// Detaches a function of this kind from everything that it was attached to by BTF.
    pub fn detach_kind(&mut self, kind: ProbeKind, function: &str) -> Result<()> {
        let name = self.complete(kind, function)?;
        self.detach_where(kind, &name, |_| true, Some(&name))
    }

    /// The function's name with bcc's prefix, where the object has one of that name only.
    fn complete(&self, kind: ProbeKind, function: &str) -> Result<String> {
        let prefix = PREFIXES.iter().find(|(known, _)| *known == kind).map_or("", |(_, prefix)| prefix);
        let prefixed = [prefix.to_owned(), format!("{prefix}vmlinux__")].map(|prefix| format!("{prefix}{function}"));
        let known = |name: &str| self.functions().iter().any(|known| known.name == name);
        if known(function) {
            return Ok(function.to_owned());
        }
        match prefixed.into_iter().find(|name| known(name)) {
            Some(name) => Ok(name),
            // For its error.
            None => self.function(function).map(|found| found.name.clone()),
        }
    }
}

fn not_for_btf(what: &str, function: &Function, wanted: Option<ProbeKind>) -> Error {
    let section = function.section.trim_start_matches('?');
    let word = section.split('/').next().unwrap_or(section);
    let wanted = wanted.map_or("attached by BTF".to_owned(), |kind| format!("for {}", kind.name()));
    let error = Error::script(what, format!("it is a function for {word}, not {wanted}"));
    match function.kind {
        FunctionKind::Probe => error.with_hint("attach it with `attach_kprobe`, which takes fentry where it can"),
        _ => error,
    }
}

/// Whether the kernel asks BPF at the hooks of its security modules: programs that nobody asks would do nothing.
fn is_asked(what: &str) -> Result<()> {
    let modules = Privilege::read().security_modules;
    let Some(modules) = modules.filter(|modules| !modules.split(',').any(|module| module == "bpf")) else {
        return Ok(());
    };
    let error = Error::machine(what, "`bpf` is not among the active security modules of this kernel");
    let error = error.with_evidence(format!("`/sys/kernel/security/lsm` says {modules}"));
    Err(error.with_hint(format!("start the kernel with `lsm={modules},bpf`")))
}

/// A refusal without a word of the verifier is about the kernel: what it lacks, and what works instead.
fn refused(err: Error, kind: ProbeKind, target: &str) -> Error {
    if err.log().is_some() || !matches!(err.errno(), Some(libc::EPERM | libc::EINVAL | libc::EOPNOTSUPP)) {
        return err;
    }
    let option = if kind == ProbeKind::Lsm { "CONFIG_BPF_LSM" } else { "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS" };
    let err = match config::evidence_unset(option) {
        Some(line) => err.with_evidence(line),
        None => err,
    };
    let name = target.rsplit(':').next().unwrap_or(target);
    match kind {
        ProbeKind::Fentry if ProbePmu::kprobe().is_ok() => {
            err.with_hint(format!("`attach_kprobe{{event = \"{name}\"}}`"))
        }
        ProbeKind::Fexit if ProbePmu::kprobe().is_ok() => {
            err.with_hint(format!("`attach_kretprobe{{event = \"{name}\"}}`"))
        }
        ProbeKind::Fentry | ProbeKind::Fexit => instead::add_tracepoints(err, name),
        _ => err,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, section: &str, prog_type: u32, attach_type: u32) -> Function {
        Function {
            name: name.to_owned(),
            section: section.to_owned(),
            kind: FunctionKind::of_section(section),
            prog_type,
            attach_type,
            variants: Vec::new(),
            autoload: true,
        }
    }

    #[test]
    fn sections_and_names_say_to_what() {
        let own = |name, section| own_target(&function(name, section, 0, 0));
        assert_eq!(own("f", "fentry/vfs_read").as_deref(), Some("vfs_read"));
        assert_eq!(own("f", "fexit.s/mod:fun").as_deref(), Some("mod:fun"));
        assert_eq!(own("kfunc__vmlinux__vfs_read", "fentry").as_deref(), Some("vmlinux:vfs_read"));
        assert_eq!(own("kmod_ret__security_file_open", "fmod_ret").as_deref(), Some("security_file_open"));
        assert_eq!(own("lsm__file_open", "lsm").as_deref(), Some("file_open"));
        assert_eq!(own("on_read", "fentry"), None);
        assert_eq!(own("kfunc__vfs_read", "fentry"), None, "without a module");
    }

    #[test]
    fn kinds_follow_from_the_types() {
        let kind = |prog, attach| kind_of(&function("f", "x", prog, attach));
        let tracing = libbpf_sys::BPF_PROG_TYPE_TRACING;
        assert_eq!(kind(tracing, libbpf_sys::BPF_MODIFY_RETURN), Some(ProbeKind::FmodRet));
        assert_eq!(kind(tracing, libbpf_sys::BPF_TRACE_ITER), Some(ProbeKind::Iter));
        assert_eq!(kind(libbpf_sys::BPF_PROG_TYPE_LSM, libbpf_sys::BPF_LSM_MAC), Some(ProbeKind::Lsm));
        assert_eq!(kind(libbpf_sys::BPF_PROG_TYPE_LSM, libbpf_sys::BPF_LSM_CGROUP), None);
        assert_eq!(kind(libbpf_sys::BPF_PROG_TYPE_KPROBE, 0), None);
    }
}
