// SPDX-License-Identifier: Apache-2.0
//! Probes of programs and of what they attach to.

use super::insns::{FP, R1, R2, R3, add, call, copy, exit, return_zero, set};
use super::support::{Step, Support, answer};
use crate::error::Error;
use crate::kernel::btf::{Btf, Kind};
use crate::kernel::kallsyms;
use crate::kernel::release::Release;
use crate::kernel::sys::bpf::{self, Insn, Program, Target};
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// A kind of program: its type and what it says it will be attached as.
pub(super) struct ProgramKind {
    prog_type: u32,
    attach_type: u32,
}

pub(super) const SOCKET_FILTER: ProgramKind = ProgramKind { prog_type: 1, attach_type: 0 };
pub(super) const TRACEPOINT: ProgramKind = ProgramKind { prog_type: 5, attach_type: 0 };
const RAW_TRACEPOINT: ProgramKind = ProgramKind { prog_type: 17, attach_type: 0 };
const FENTRY: ProgramKind = ProgramKind { prog_type: 26, attach_type: 24 };
const FMOD_RET: ProgramKind = ProgramKind { prog_type: 26, attach_type: 26 };
const ITERATOR: ProgramKind = ProgramKind { prog_type: 26, attach_type: 28 };
const LSM: ProgramKind = ProgramKind { prog_type: 29, attach_type: 27 };
const KPROBE_MULTI: ProgramKind = ProgramKind { prog_type: 2, attach_type: 42 };
const UPROBE_MULTI: ProgramKind = ProgramKind { prog_type: 2, attach_type: 48 };

/// `BPF_FUNC_probe_read_kernel`
const PROBE_READ_KERNEL: i32 = 113;
/// `BPF_FUNC_get_attach_cookie`
const GET_ATTACH_COOKIE: i32 = 174;
/// `BPF_FUNC_ktime_get_coarse_ns`
const KTIME_GET_COARSE_NS: i32 = 160;

/// Functions to attach to for a moment, the first that exists: the kernel's own target for such tests, which nothing
/// else calls, then system calls that are seldom made.
const TARGETS: [&CStr; 3] = [c"bpf_fentry_test1", c"__x64_sys_getpgid", c"__arm64_sys_getpgid"];

pub(super) fn fentry() -> Support {
    answer(typed_target(TARGETS).and_then(|(name, btf_id)| attach_by_btf("fentry", &FENTRY, name, btf_id)))
}

pub(super) fn fmod_ret() -> Support {
    // Hooks of the security modules may be replaced, and the kernel's own target for such tests on some kernels.
    let target = typed_target([c"security_settime64", c"bpf_modify_return_test"]);
    answer(target.and_then(|(name, btf_id)| attach_by_btf("fmod_ret", &FMOD_RET, name, btf_id)))
}

pub(super) fn lsm() -> Support {
    let hook = typed_target([c"bpf_lsm_settime"]);
    answer(hook.and_then(|(name, btf_id)| attach_by_btf("LSM", &LSM, name, btf_id)))
}

/// Loads a program for a function that BTF names and attaches it there for a moment. The second step counts: on some
/// machines programs load that no trampoline can then carry.
fn attach_by_btf(what: &str, kind: &ProgramKind, target: &CStr, btf_id: u32) -> Step<()> {
    let target = target.to_string_lossy();
    let program = load_for(&format!("a {what} program for `{target}`"), kind, btf_id, &return_zero())?;
    let attached = bpf::open_raw_tracepoint(None, program.as_fd());
    attached.map(drop).map_err(|err| Support::refused(format!("attaching a {what} program to `{target}`"), &err))
}

pub(super) fn kprobe_multi() -> Support {
    answer(load("a kprobe-multi program", &KPROBE_MULTI, &return_zero()).and_then(|program| {
        let mut refusal = Support::absent("no function to try it on");
        for name in TARGETS {
            let target = Target::KernelFunction(name);
            match bpf::create_link(program.as_fd(), KPROBE_MULTI.attach_type, &target) {
                Ok(_) => return Ok(()),
                Err(err) => {
                    refusal = Support::refused(format!("BPF_LINK_CREATE for `{}`", name.to_string_lossy()), &err);
                    // Only "no such function" is a reason to try the next one.
                    if !matches!(err.raw_os_error(), Some(libc::ESRCH | libc::ENOENT)) {
                        break;
                    }
                }
            }
        }
        Err(refusal)
    }))
}

/// A kernel that knows uprobe-multi looks at the path first and says that a folder cannot be probed (EBADF).
pub(super) fn uprobe_multi() -> Support {
    answer(load("a uprobe-multi program", &UPROBE_MULTI, &return_zero()).and_then(|program| {
        let target = Target::File { path: c"/", offset: 0 };
        match bpf::create_link(program.as_fd(), UPROBE_MULTI.attach_type, &target) {
            Err(err) if err.raw_os_error() != Some(libc::EBADF) => Err(Support::refused("BPF_LINK_CREATE", &err)),
            _ => Ok(()),
        }
    }))
}

pub(super) fn raw_tracepoint() -> Support {
    answer(attach_to_raw_tracepoint("sys_enter"))
}

fn attach_to_raw_tracepoint(event: &str) -> Step<()> {
    let program = load("a raw tracepoint program", &RAW_TRACEPOINT, &return_zero())?;
    let name = CString::new(event).map_err(|_| Support::absent(format!("`{event}` is no name")))?;
    let attached = bpf::open_raw_tracepoint(Some(&name), program.as_fd());
    attached.map(drop).map_err(|err| Support::refused(format!("BPF_RAW_TRACEPOINT_OPEN of `{event}`"), &err))
}

/// Tried on a kernel module's tracepoint; where no loaded module has one, the kernel's function that looks for them
/// there tells.
pub(super) fn raw_tracepoint_in_module() -> Support {
    let symbols = match kallsyms::shared() {
        Ok(symbols) => symbols,
        Err(err) => return Support::Unsupported { errno: err.errno(), why: err.to_string() },
    };
    let of_module = symbols.iter().filter(|symbol| symbol.kernel_module.is_some());
    let event = of_module.filter_map(|symbol| symbol.name.strip_prefix("__bpf_trace_tp_map_")).next();
    match event {
        Some(event) => answer(attach_to_raw_tracepoint(event)),
        None if symbols.contains("bpf_get_raw_tracepoint") => raw_tracepoint(),
        None => Support::absent("the kernel has no function `bpf_get_raw_tracepoint`"),
    }
}

pub(super) fn iterator() -> Support {
    answer(typed_target([c"bpf_iter_task"]).and_then(|(_, btf_id)| {
        let program = load_for("an iterator over tasks", &ITERATOR, btf_id, &return_zero())?;
        let link = bpf::create_link(program.as_fd(), ITERATOR.attach_type, &Target::Itself);
        link.map(drop).map_err(|err| Support::refused("BPF_LINK_CREATE of an iterator over tasks", &err))
    }))
}

pub(super) fn probe_read_kernel() -> Support {
    let insns = [copy(R1, FP), add(R1, -8), set(R2, 8), set(R3, 0), call(PROBE_READ_KERNEL), exit()];
    answer(load("a program that calls bpf_probe_read_kernel", &TRACEPOINT, &insns).map(drop))
}

pub(super) fn attach_cookie() -> Support {
    let insns = [call(GET_ATTACH_COOKIE), exit()];
    answer(load("a program that calls bpf_get_attach_cookie", &TRACEPOINT, &insns).map(drop))
}

/// The helper came with the kernel that stopped counting BPF memory as locked memory.
pub(super) fn memcg_accounting() -> Support {
    answer(
        load("a program that calls bpf_ktime_get_coarse_ns", &SOCKET_FILTER, &[call(KTIME_GET_COARSE_NS), exit()])
            .map(drop),
    )
}

/// The first of the functions that the kernel's type data knows, with its number there.
fn typed_target<const N: usize>(names: [&'static CStr; N]) -> Step<(&'static CStr, u32)> {
    let no_btf = |err: Error| Support::Unsupported { errno: err.errno(), why: err.to_string() };
    let btf = Btf::kernel().map_err(no_btf)?;
    let id_of = |name: &CStr| btf.find(Kind::Func, name.to_str().ok()?).map(|id| id.0);
    let found = names.into_iter().find_map(|name| Some((name, id_of(name)?)));
    found.ok_or_else(|| Support::absent(format!("the kernel's BTF has no function `{}`", names[0].to_string_lossy())))
}

pub(super) fn load(what: &str, kind: &ProgramKind, insns: &[Insn]) -> Step<OwnedFd> {
    load_for(what, kind, 0, insns)
}

fn load_for(what: &str, kind: &ProgramKind, attach_btf_id: u32, insns: &[Insn]) -> Step<OwnedFd> {
    let program = Program {
        prog_type: kind.prog_type,
        expected_attach_type: kind.attach_type,
        attach_btf_id,
        insns,
        kernel_version: Release::running().version.code(),
    };
    bpf::load_program(&program, &mut []).map_err(|err| refused_load(what, &program, &err))
}

/// The refusal of a program, with the verifier's last word if it has one.
fn refused_load(what: &str, program: &Program<'_>, err: &io::Error) -> Support {
    let mut log = vec![0; 4096];
    let at = format!("BPF_PROG_LOAD of {what}");
    match bpf::load_program(program, &mut log) {
        Ok(_) => Support::refused(at, err),
        Err(_) => Support::refused(with_reason(at, &log), err),
    }
}

fn with_reason(at: String, log: &[u8]) -> String {
    let end = log.iter().position(|&byte| byte == 0).unwrap_or(log.len());
    let text = String::from_utf8_lossy(&log[..end]);
    let is_summary = |line: &&str| line.starts_with("processed ") || line.is_empty();
    match text.lines().map(str::trim).rev().find(|line| !is_summary(line)) {
        Some(line) => format!("{at}: {line}"),
        None => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifiers_last_word() {
        let log = b"0: (85) call unknown#999\ninvalid func unknown#999\nprocessed 1 insns (limit 1000000)\n\n\0\0";
        assert_eq!(with_reason("load".to_owned(), log), "load: invalid func unknown#999");
        assert_eq!(with_reason("load".to_owned(), b"\0"), "load");
        assert_eq!(with_reason("load".to_owned(), b"\xff"), "load: \u{fffd}");
        assert_eq!(with_reason("load".to_owned(), b""), "load");
    }
}
