// SPDX-License-Identifier: Apache-2.0
//! Kprobes by the cheapest of four mechanisms that gives the same result.

use std::ffi::CString;
use std::io;
use std::rc::Rc;

use super::cookie::{refused_with, require};
use super::functions::{KernelFunction, Resolved};
use super::instead;
use super::perf_probe::{self, ProbePmu};
use super::refusals;
use super::{KprobeEvent, KprobeTarget, Mechanism, TracefsEvent};
use crate::bpf::btf_target::BtfTarget;
use crate::bpf::function::{Function, Variant};
use crate::bpf::link::{Link, or_refused};
use crate::bpf::object::Object;
use crate::bpf::probe::{Attached, ProbeId, ProbeKind};
use crate::bpf::program::{LoadAs, Program};
use crate::error::{Error, Result};
use crate::kernel::features::{self, Feature};
use crate::kernel::{syscalls, traceable};

/// Probes are made one by one, slowly; a regular expression that needs more than this is a slip.
const PROBE_LIMIT: usize = 1000;

/// How many probes a regular expression may stand for: `BCC_PROBE_LIMIT` in the environment says otherwise, as in bcc.
pub(super) fn probe_limit() -> usize {
    told_limit().unwrap_or(PROBE_LIMIT)
}

/// The limit that the user gave, which holds for one link on many functions, too.
pub(super) fn told_limit() -> Option<usize> {
    std::env::var("BCC_PROBE_LIMIT").ok()?.parse().ok()
}

const MECHANISMS: [Mechanism; 4] =
    [Mechanism::Fentry, Mechanism::KprobeMulti, Mechanism::Kprobe, Mechanism::SyscallTracepoint];

impl Object {
    /// Attaches a function to kernel functions, by the cheapest mechanism that gives the same result.
    pub fn attach_kprobe(&mut self, target: &KprobeTarget, function: &str) -> Result<ProbeId> {
        let found = self.function(function)?.clone();
        let mut target = target.clone();
        if target.mechanism == Mechanism::Auto {
            target.mechanism = self.mechanism();
        }
        let request = Request::new(&target, found)?;
        let attached = request.attach(self)?;
        let kind = if target.retprobe { ProbeKind::Kretprobe } else { ProbeKind::Kprobe };
        self.keep_probe(kind, request.name, function, attached)
    }
}

/// One request, with all that is known before anything is tried.
struct Request<'a> {
    target: &'a KprobeTarget,
    function: Function,
    /// The target as the user writes it.
    name: String,
    /// The headline of an error.
    what: String,
    resolved: Resolved,
}

/// Why a mechanism is not for this request, or what became of trying it.
enum Miss {
    /// Nobody would expect it here.
    Beside,
    /// It does not apply.
    Unfit(String),
    /// It was tried.
    Failed(Error),
}

impl From<Error> for Miss {
    fn from(err: Error) -> Miss {
        Miss::Failed(err)
    }
}

impl<'a> Request<'a> {
    fn new(target: &'a KprobeTarget, function: Function) -> Result<Request<'a>> {
        let name = match &target.event {
            KprobeEvent::Name(name) => name.clone(),
            KprobeEvent::Matching(regex) => format!("/{regex}/"),
            KprobeEvent::Address(address) => format!("{address:#x}"),
        };
        let kind = if target.retprobe { "kretprobe" } else { "kprobe" };
        let what = format!("cannot attach {kind} `{}` to `{name}`", function.name);
        if target.retprobe && target.offset != 0 {
            return Err(Error::script(what, "a return probe has no offset"));
        }
        let resolved = Resolved::new(target, &what)?;
        Ok(Request { target, function, name, what, resolved })
    }

    fn attach(&self, object: &mut Object) -> Result<Attached> {
        let forced = self.target.mechanism;
        if forced != Mechanism::Auto {
            let mut attached = self.try_mechanism(forced, object).map_err(|miss| self.forced(miss))?;
            self.describe(&mut attached);
            return Ok(attached);
        }
        let mut why = Vec::new();
        let mut failed = None;
        for mechanism in MECHANISMS {
            match self.try_mechanism(mechanism, object) {
                Ok(mut attached) => {
                    attached.why.extend(why.into_iter().map(|(_, reason)| reason));
                    self.describe(&mut attached);
                    return Ok(attached);
                }
                Err(Miss::Beside) => {}
                Err(Miss::Unfit(reason)) => why.push((mechanism, format!("{}: {reason}", mechanism.name()))),
                Err(Miss::Failed(err)) => {
                    why.push((mechanism, format!("{}: {}", mechanism.name(), refusals::in_short(&err))));
                    failed = Some((mechanism, err));
                }
            }
        }
        Err(self.hopeless(failed, why))
    }

    /// The error of a mechanism that the user asked for.
    fn forced(&self, miss: Miss) -> Error {
        match miss {
            Miss::Failed(err) => self.failed(self.target.mechanism, err),
            Miss::Unfit(reason) => Error::machine(format!("{} by {}", self.what, self.target.mechanism.name()), reason),
            Miss::Beside => Error::bug(&self.what, "a mechanism that was asked for was passed over"),
        }
    }

    fn describe(&self, attached: &mut Attached) {
        let names = self.resolved.names();
        if names != [self.name.as_str()] {
            attached.resolved.extend(names);
        }
        attached.notes.splice(0..0, self.resolved.notes.iter().cloned());
    }

    fn try_mechanism(&self, mechanism: Mechanism, object: &mut Object) -> std::result::Result<Attached, Miss> {
        let alone = self.resolved.functions.len() == 1 && self.target.mechanism == Mechanism::Auto;
        if mechanism == Mechanism::KprobeMulti && alone {
            return Err(Miss::Beside);
        }
        if let Some(reason) = refusals::reason(mechanism) {
            return Err(Miss::Unfit(reason));
        }
        match mechanism {
            Mechanism::Fentry => self.fentry(object),
            Mechanism::KprobeMulti => self.kprobe_multi(object),
            Mechanism::SyscallTracepoint => self.syscall_tracepoint(object),
            _ => self.kprobes(object),
        }
    }

    /// The only function, for mechanisms that take one.
    fn only(&self) -> std::result::Result<&KernelFunction, Miss> {
        match self.resolved.functions.as_slice() {
            [function] if function.name.is_empty() => Err(Miss::Unfit("it is for functions, not addresses".to_owned())),
            [function] if self.target.offset == 0 => Ok(function),
            [_] => Err(Miss::Unfit("it has no offsets into a function".to_owned())),
            functions => Err(Miss::Unfit(format!("it is for one function, not {}", functions.len()))),
        }
    }

    /// A variant that the compiler may have left out.
    fn need(&self, variant: Variant, what: &str) -> std::result::Result<(), Miss> {
        if self.function.has(variant) {
            return Ok(());
        }
        Err(Miss::Unfit(format!("`{}` uses its context in a way that {what} cannot serve", self.function.name)))
    }

    /// 0 for none.
    fn cookie(&self) -> u64 {
        self.target.cookie.unwrap_or(0)
    }

    fn fentry(&self, object: &mut Object) -> std::result::Result<Attached, Miss> {
        let only = self.only()?;
        let variant = if self.target.retprobe { Variant::Fexit } else { Variant::Fentry };
        self.need(variant, &variant.suffix()[1..])?;
        // BTF knows functions by the name they have in the C text, and only those whose arguments are still in place.
        let target = BtfTarget::function(&only.name, &self.what)
            .map_err(|_| Miss::Unfit(format!("`{}` is not in the kernel's BTF", only.name)))?;
        if let Some(obstacle) = target.obstacle {
            return Err(Miss::Unfit(obstacle));
        }
        let name = only.name.clone();
        let load_as = if self.target.retprobe { LoadAs::Fexit(name) } else { LoadAs::Fentry(name) };
        let program = object.load_as(&self.function.name, &load_as).inspect_err(refusals::note_fentry)?;
        let kind = if self.target.retprobe { ProbeKind::Fexit } else { ProbeKind::Fentry };
        let link = Link::tracing(&program, self.cookie())
            .map_err(|err| refused_with(&self.what, kind, self.cookie(), &err))?;
        Ok(Attached::one(link, Mechanism::Fentry))
    }

    fn kprobe_multi(&self, object: &mut Object) -> std::result::Result<Attached, Miss> {
        if self.target.offset != 0 || self.target.maxactive != 0 {
            return Err(Miss::Unfit("it takes neither offset nor maxactive".to_owned()));
        }
        let addresses = self.resolved.addresses();
        if addresses.contains(&0) {
            return Err(Miss::Unfit("the kernel hides its addresses (kernel.kptr_restrict)".to_owned()));
        }
        let program = object.load_as(&self.function.name, &LoadAs::KprobeMulti)?;
        let link = Link::kprobe_multi(&program, &addresses, self.target.retprobe, self.cookie());
        let link = link.map_err(|err| self.no_multi_link(&err))?;
        Ok(Attached::one(link, Mechanism::KprobeMulti))
    }

    fn no_multi_link(&self, err: &io::Error) -> Error {
        let support = features::supports(Feature::KprobeMulti);
        if !support.is_supported() {
            refusals::note(Mechanism::KprobeMulti, "this kernel has no link for many kprobes", err);
            let error = Error::machine(&self.what, "this kernel has no link for many kprobes");
            return error.with_errno(err.raw_os_error().unwrap_or_default());
        }
        match err.raw_os_error() {
            Some(errno @ (libc::EINVAL | libc::ENOENT | libc::ESRCH)) => {
                Error::machine(&self.what, "one of the functions cannot be hooked with the others").with_errno(errno)
            }
            _ => Error::io(&self.what, err),
        }
    }

    fn kprobes(&self, object: &mut Object) -> std::result::Result<Attached, Miss> {
        let pmu = ProbePmu::kprobe()
            .map_err(|err| Error::machine(&self.what, "this kernel has no kprobes").with_errno(no_such_file(&err)))?;
        let functions = &self.resolved.functions;
        let limit = probe_limit();
        if functions.len() > limit {
            let why = format!("it stands for {} functions; kprobes one by one are limited to {limit}", functions.len());
            return Err(Error::script(&self.what, why).with_hint("narrow the regular expression").into());
        }
        let kind = if self.target.retprobe { ProbeKind::Kretprobe } else { ProbeKind::Kprobe };
        require(&self.what, kind, self.cookie())?;
        let program = object.load_as(&self.function.name, &LoadAs::Kprobe)?;
        let mut links = Vec::new();
        let mut failures = Vec::new();
        for function in functions {
            match self.kprobe(pmu, &program, function) {
                Ok(link) => links.push(link),
                Err(err) => failures.push((function.name.clone(), err)),
            }
        }
        if links.is_empty() {
            let first = failures.into_iter().next().map(|(_, err)| err);
            return Err(first.unwrap_or_else(|| Error::bug(&self.what, "no function to attach to")).into());
        }
        let mut attached = Attached::many(links, Mechanism::Kprobe);
        if !failures.is_empty() {
            let names: Vec<&str> = failures.iter().map(|(name, _)| name.as_str()).take(5).collect();
            let more = if failures.len() > names.len() { " …" } else { "" };
            attached.notes.push(format!("{} could not be probed: {}{more}", failures.len(), names.join(", ")));
        }
        Ok(attached)
    }

    fn kprobe(&self, pmu: ProbePmu, program: &Rc<Program>, function: &KernelFunction) -> Result<Link> {
        let target = self.target;
        if target.maxactive != 0 && target.retprobe {
            let event = TracefsEvent::kretprobe(&function.name, target.maxactive)?;
            let perf = perf_probe::open_tracepoint(event.id()?);
            let link = perf.and_then(|perf| Link::perf(program, perf, self.cookie()));
            return Ok(or_refused(link, || self.what.clone())?.with_tracefs_event(event));
        }
        let name = CString::new(function.name.as_str()).unwrap_or_default();
        let by_address = function.name.is_empty() || (function.ambiguous && function.address != 0);
        let event = if by_address {
            pmu.open(None, function.address + target.offset, target.retprobe, None)
        } else {
            pmu.open(Some(&name), target.offset, target.retprobe, None)
        };
        event
            .and_then(|event| Link::perf(program, event, self.cookie()))
            .map_err(|err| self.cannot_probe(function, &err))
    }

    /// The kernel's errno says little; the lists of what can be traced say more.
    fn cannot_probe(&self, function: &KernelFunction, err: &io::Error) -> Error {
        let known = traceable::shared().ok();
        if let Some(reason) = known.and_then(|known| known.why_not(&function.name)) {
            return reason.error(&self.what);
        }
        let errno = err.raw_os_error().unwrap_or_default();
        let why = match errno {
            libc::EILSEQ => format!("offset {} is not the start of an instruction", self.target.offset),
            libc::EINVAL if self.target.offset != 0 => {
                format!("no probe can be placed at offset {}", self.target.offset)
            }
            libc::EINVAL | libc::EOPNOTSUPP => "the kernel allows no probe there".to_owned(),
            libc::EADDRNOTAVAIL => "several functions have this name and the kernel hides their addresses".to_owned(),
            _ => return Error::io(&self.what, err),
        };
        Error::machine(&self.what, why).with_errno(errno)
    }

    fn syscall_tracepoint(&self, object: &mut Object) -> std::result::Result<Attached, Miss> {
        let call = match &self.resolved.functions[..] {
            [only] => syscalls::parse_function_name(&only.name),
            _ => None,
        };
        let only = self.only()?;
        let call = call.ok_or_else(|| match self.target.mechanism {
            // With kprobes at hand nobody asks why it was not this.
            Mechanism::Auto if ProbePmu::kprobe().is_ok() => Miss::Beside,
            _ => Miss::Unfit(format!("`{}` does not serve a system call", only.name)),
        })?;
        let number = call.number.ok_or_else(|| Miss::Unfit(format!("`{}` serves other programs' calls", only.name)))?;
        let (variant, load_as, event) = match self.target.retprobe {
            false => (Variant::SysEnter, LoadAs::SysEnter(number), "sys_enter"),
            true => (Variant::SysExit, LoadAs::SysExit(number), "sys_exit"),
        };
        self.need(variant, event)?;
        let program = object.load_as(&self.function.name, &load_as)?;
        let link = Link::raw_tracepoint(&program, event, self.cookie())
            .map_err(|err| refused_with(&self.what, ProbeKind::RawTracepoint, self.cookie(), &err))?;
        Ok(Attached::one(link, Mechanism::SyscallTracepoint))
    }

    /// The error of a mechanism that was tried. Without kprobes at all it says what works instead.
    fn failed(&self, mechanism: Mechanism, err: Error) -> Error {
        match mechanism {
            Mechanism::Kprobe if ProbePmu::kprobe().is_err() => instead::add(err, &self.resolved.functions),
            _ => err,
        }
    }

    /// The error when nothing worked: the last failure says the most, the reasons of the others are evidence.
    fn hopeless(&self, failed: Option<(Mechanism, Error)>, why: Vec<(Mechanism, String)>) -> Error {
        let (told, error) = failed.map_or_else(
            || (Mechanism::Auto, Error::machine(&self.what, "no mechanism can serve it")),
            |(mechanism, error)| (mechanism, self.failed(mechanism, error)),
        );
        let others = why.into_iter().filter(|(mechanism, _)| *mechanism != told);
        others.fold(error, |error, (_, reason)| error.with_evidence(reason))
    }
}

fn no_such_file(err: &io::Error) -> i32 {
    err.raw_os_error().unwrap_or(libc::ENOENT)
}
