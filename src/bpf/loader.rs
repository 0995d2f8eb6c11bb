// SPDX-License-Identifier: Apache-2.0
//! One `BPF_PROG_LOAD`: a patched copy of the relocated instructions, as the attachment wants it.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::btf_target::BtfTarget;
use super::function::Function;
use super::image::Image;
use super::patch;
use super::program::{LoadAs, Program};
use super::relocation::find_missing;
use super::struct_ops::{self, StructOps};
use super::sys::object::{RawProgram, renumber_maps};
use super::sys::prog::{self, LoadRequest};
use super::verifier::{LineTable, Rejected, VerifierLog};
use crate::error::{Error, Result};
use crate::kernel::config;
use crate::kernel::features::{Feature, supports};
use crate::kernel::kallsyms;
use crate::timings::{self, Phase};

/// The verifier's log is kept up to this size. The memory is only touched as far as the log goes.
const LOG_SIZES: [usize; 2] = [16 << 20, 256 << 20];

/// A program type and the attach type it expects.
type Types = (u32, u32);

const KPROBE: Types = (libbpf_sys::BPF_PROG_TYPE_KPROBE, 0);
const KPROBE_MULTI: Types = (libbpf_sys::BPF_PROG_TYPE_KPROBE, libbpf_sys::BPF_TRACE_KPROBE_MULTI);
const UPROBE_MULTI: Types = (libbpf_sys::BPF_PROG_TYPE_KPROBE, libbpf_sys::BPF_TRACE_UPROBE_MULTI);
const FENTRY: Types = (libbpf_sys::BPF_PROG_TYPE_TRACING, libbpf_sys::BPF_TRACE_FENTRY);
const FEXIT: Types = (libbpf_sys::BPF_PROG_TYPE_TRACING, libbpf_sys::BPF_TRACE_FEXIT);
const TRACEPOINT: Types = (libbpf_sys::BPF_PROG_TYPE_TRACEPOINT, 0);
const RAW_TRACEPOINT: Types = (libbpf_sys::BPF_PROG_TYPE_RAW_TRACEPOINT, 0);

/// Loads a function for an attachment.
pub fn load(image: &Image, function: &Function, load_as: &LoadAs) -> Result<Program> {
    let _phase = timings::enter(Phase::Load);
    let variant = load_as.variant(&function.variants);
    let symbol = function.symbol(variant);
    let raw = image.programs.iter().find(|program| program.symbol == symbol).ok_or_else(|| {
        let what = format!("cannot load `{}` for {}", function.name, load_as.name());
        Error::bug(what, format!("the object has no program `{symbol}`"))
    })?;
    if patch::usdt_arguments(&raw.insns).is_some() && !matches!(load_as, LoadAs::Usdt(_)) {
        let what = format!("cannot attach `{}`", function.name);
        let error = Error::script(what, "it reads arguments of a USDT probe, and this is none");
        return Err(error.with_hint("attach it with `b:attach_usdt{…}`"));
    }
    if let Some(grants) = &image.options.grants {
        grants.check_helpers(&function.name, &raw.insns)?;
    }
    let plan = Plan::new(image, function, raw, load_as)?;
    let (fd, log) =
        plan.load(image, raw, image.options.verifier_log_level).map_err(|failure| plan.explain(image, raw, failure))?;
    // The program's code has a symbol of its own, which stacks may hold.
    kallsyms::note_change();
    Ok(Program {
        name: function.name.clone(),
        variant,
        fd,
        instructions: plan.insns.len(),
        prog_type: plan.types.0,
        expected_attach_type: plan.types.1,
        kind: plan.kind,
        log,
    })
}

/// What is loaded.
struct Plan<'a> {
    function: &'a Function,
    kind: String,
    types: Types,
    flags: u32,
    /// The network device that runs it; 0 for the processor.
    device: u32,
    insns: Vec<prog::Insn>,
    target: Option<BtfTarget>,
}

/// A load that failed, with the verifier's log if it wrote one.
struct Failure {
    err: io::Error,
    log: String,
}

impl<'a> Plan<'a> {
    fn new(image: &Image, function: &'a Function, raw: &RawProgram, load_as: &LoadAs) -> Result<Plan<'a>> {
        let mut insns = raw.insns.clone();
        let mut target = None;
        let what = format!("cannot load `{}`", function.name);
        let types = match load_as {
            LoadAs::Section => {
                target = section_target(image, raw, &what)?;
                (raw.prog_type, raw.expected_attach_type)
            }
            LoadAs::Tracing(name) => {
                target = typed_target(raw, name, &what)?;
                (raw.prog_type, raw.expected_attach_type)
            }
            LoadAs::Freplace(replaced) => {
                target = Some(BtfTarget::replaced(replaced, &what)?);
                (raw.prog_type, 0)
            }
            LoadAs::Kprobe | LoadAs::Uprobe => KPROBE,
            LoadAs::KprobeMulti => KPROBE_MULTI,
            LoadAs::UprobeMulti => UPROBE_MULTI,
            LoadAs::Usdt(load) => {
                patch::set_usdt_record(&mut insns, load.record);
                let renumber = image.usdt_records().zip(load.records);
                renumber.inspect(|&renumber| renumber_maps(&mut insns, &[renumber]));
                if load.multi { UPROBE_MULTI } else { KPROBE }
            }
            LoadAs::Tracepoint => TRACEPOINT,
            LoadAs::RawTracepoint => RAW_TRACEPOINT,
            LoadAs::Typed(typed) => (typed.prog.0, typed.attach.map_or(0, |attach| attach.0)),
            LoadAs::Fentry(name) => {
                target = Some(BtfTarget::function(name, &what)?);
                FENTRY
            }
            LoadAs::Fexit(name) => {
                let function = BtfTarget::function(name, &what)?;
                patch::set_return_value(&mut insns, function.arguments);
                target = Some(function);
                FEXIT
            }
            LoadAs::SysEnter(number) | LoadAs::SysExit(number) => {
                patch::set_syscall_number(&mut insns, *number);
                RAW_TRACEPOINT
            }
        };
        let kind = match load_as {
            LoadAs::Section | LoadAs::Tracing(_) => raw.section.clone(),
            other => other.name().to_owned(),
        };
        if types.0 == libbpf_sys::BPF_PROG_TYPE_UNSPEC {
            return Err(Error::script(what, format!("section `{}` names no known kind of program", raw.section)));
        }
        let device = if let LoadAs::Typed(typed) = load_as { typed.device } else { 0 };
        let flags = if types.0 == raw.prog_type { raw.flags | section_flags(&raw.section) } else { 0 };
        Ok(Plan { function, kind, types, flags, device, insns, target })
    }

    fn load(&self, image: &Image, raw: &RawProgram, log_level: u32) -> std::result::Result<(OwnedFd, String), Failure> {
        let name = CString::new(self.function.name.as_str()).unwrap_or_default();
        let request = LoadRequest {
            prog_type: self.types.0,
            expected_attach_type: self.types.1,
            flags: self.flags,
            device: self.device,
            name: &name,
            license: &image.license,
            insns: &self.insns,
            btf: image.btf.as_ref().map(AsFd::as_fd),
            func_info: &raw.func_info,
            line_info: &raw.line_info,
            attach_btf_id: self.target.as_ref().map_or(0, |target| target.id),
            attach_btf: self.target.as_ref().and_then(|target| target.btf.as_ref()).map(AsFd::as_fd),
            module_btf: image.module_btf.array(),
            attach_prog: self.target.as_ref().and_then(|target| target.program.as_ref()).map(AsFd::as_fd),
        };
        if log_level == 0 {
            match prog::load(&request, None) {
                Ok(fd) => return Ok((fd, String::new())),
                // Only a verdict comes with a log. The others would fail the same way again.
                Err(err) if is_final(&err) => return Err(Failure { err, log: String::new() }),
                Err(_) => {}
            }
        }
        load_with_log(&request, log_level.max(1))
    }

    fn explain(&self, image: &Image, raw: &RawProgram, failure: Failure) -> Error {
        if self.device != 0 && failure.log.is_empty() && failure.err.raw_os_error() == Some(libc::EOPNOTSUPP) {
            let what = format!("cannot load program `{}` ({}) for a device", self.function.name, self.kind);
            let why = "the device, or its driver, does not run programs itself";
            return Error::machine(what, why).with_errno(libc::EOPNOTSUPP);
        }
        let about_relocation = VerifierLog::parse(&failure.log).is_about_relocation();
        let missing = about_relocation.then(|| find_missing(&image.elf, &image.options, &raw.symbol)).flatten();
        let lines = LineTable::new(&raw.line_info, image.btf_bytes());
        let overrides = failure.log.contains(OVERRIDE);
        let error = Rejected {
            function: &self.function.name,
            kind: &self.kind,
            instructions: self.insns.len(),
            errno: failure.err.raw_os_error().unwrap_or_default(),
            log: failure.log,
            lines: &lines,
            missing,
        }
        .into_error();
        if overrides { about_override(error) } else { error }
    }
}

/// How the verifier names the helper that replaces a function's result.
const OVERRIDE: &str = "bpf_override_return#";

/// What this kernel says of itself, and what replaces results in kernels of another configuration.
fn about_override(error: Error) -> Error {
    let error = match config::evidence_unset("BPF_KPROBE_OVERRIDE") {
        Some(line) => error.with_evidence(line),
        None => error,
    };
    if !supports(Feature::FmodRet).is_supported() {
        return error;
    }
    error.with_hint(
        "`KMOD_RET(FUNCTION, …)` replaces the result of functions for error injection, too, and of `security_…`",
    )
}

fn is_final(err: &io::Error) -> bool {
    matches!(err.raw_os_error(), Some(libc::ENOMEM | libc::EMFILE | libc::ENFILE))
}

fn load_with_log(request: &LoadRequest<'_>, level: u32) -> std::result::Result<(OwnedFd, String), Failure> {
    let mut failure = Failure { err: io::Error::from_raw_os_error(libc::ENOSPC), log: String::new() };
    for size in LOG_SIZES {
        let mut buffer = vec![0_u8; size];
        let result = prog::load(request, Some((level, &mut buffer)));
        let end = buffer.iter().position(|byte| *byte == 0).unwrap_or(buffer.len());
        let log = String::from_utf8_lossy(&buffer[..end]).into_owned();
        match result {
            Ok(fd) => return Ok((fd, log)),
            Err(err) => failure = Failure { err, log },
        }
        // The log did not fit, which hides the verdict.
        if failure.err.raw_os_error() != Some(libc::ENOSPC) {
            break;
        }
    }
    Err(failure)
}

/// What a section such as `fentry/vfs_read` names, or the struct that a function in `struct_ops` is a member of.
fn section_target(image: &Image, raw: &RawProgram, what: &str) -> Result<Option<BtfTarget>> {
    match (raw.prog_type, raw.section.split_once('/')) {
        (libbpf_sys::BPF_PROG_TYPE_STRUCT_OPS, _) => {
            let uses = |ops: &&StructOps| ops.functions().any(|function| function == raw.symbol);
            let ops = image.struct_ops.iter().find(uses).ok_or_else(|| struct_ops::unused(what, &raw.section))?;
            ops.target(what).map(Some)
        }
        (libbpf_sys::BPF_PROG_TYPE_EXT, _) => {
            let error = Error::script(what, "it takes the place of a function of another program");
            Err(error.with_hint("attach it: `b:attach_freplace{fn_name = …, target = PROGRAM}`"))
        }
        (_, Some((_, name))) => typed_target(raw, name, what),
        (_, None) => Ok(None),
    }
}

fn typed_target(raw: &RawProgram, name: &str, what: &str) -> Result<Option<BtfTarget>> {
    Ok(match (raw.prog_type, raw.expected_attach_type) {
        (libbpf_sys::BPF_PROG_TYPE_LSM, _) => Some(BtfTarget::lsm(name, what)?),
        (libbpf_sys::BPF_PROG_TYPE_TRACING, libbpf_sys::BPF_TRACE_RAW_TP) => Some(BtfTarget::tracepoint(name, what)?),
        (libbpf_sys::BPF_PROG_TYPE_TRACING, libbpf_sys::BPF_TRACE_ITER) => Some(BtfTarget::iterator(name, what)?),
        (libbpf_sys::BPF_PROG_TYPE_TRACING, _) => Some(BtfTarget::function(name, what)?),
        _ => None,
    })
}

/// The flags that a section's name implies.
fn section_flags(section: &str) -> u32 {
    let section = section.trim_start_matches('?');
    let word = section.split('/').next().unwrap_or(section);
    match word {
        // It may always sleep, and the kernel wants that said.
        "syscall" => libbpf_sys::BPF_F_SLEEPABLE,
        "xdp.frags" | "xdp.frags_devmap" | "xdp.frags_cpumap" => libbpf_sys::BPF_F_XDP_HAS_FRAGS,
        word if word.ends_with(".s") => libbpf_sys::BPF_F_SLEEPABLE,
        _ => 0,
    }
}
