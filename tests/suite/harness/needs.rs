// SPDX-License-Identifier: Apache-2.0
//! What a test takes of this machine, found out without the program under test.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::thread;

/// One thing that a test takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Root,
    Btf,
    Kprobes,
    KprobeMulti,
    Tracefs,
    X86,
    Uprobes,
    Tool(&'static str),
}

/// The series of the kernel when this is one of our virtual machines, whose abilities are known.
pub fn vm_series() -> Option<String> {
    std::env::var("BPFLUA_TEST_VM").ok()
}

/// `uname -r`.
pub fn kernel_release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap().trim().to_owned()
}

/// Whether something is missing; then the reason is printed, and the caller returns.
pub fn missing(needs: &[Need]) -> bool {
    let Some(reason) = needs.iter().find_map(|need| need.lacking()) else { return false };
    skip(&reason);
    true
}

/// Says why this test does not run: on the error output itself, which the test runner does not hold back. In our
/// virtual machines everything must run that their kernels are known to have.
pub fn skip(reason: &str) {
    let name = thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "skipped: {name}: {reason}");
    let known = [
        "kprobe-multi",
        "no maps of type",
        "no link for many kprobes",
        "not in a VM",
        "no function of",
        "no netfilter programs",
        "carry no cookie in this kernel",
        // Before 6.2, fentry takes no function of so many.
        "more parameters than registers",
        "no scripts of bcc",
        "no table is kept",
        // What a tool needs beyond the kernel: counters of the processor, libraries.
        "root_tool_",
    ];
    if let Some(series) = vm_series() {
        assert!(known.iter().any(|words| reason.contains(words)), "must run on Linux {series}: {reason}");
    }
}

impl Need {
    /// Why it is not there, if so.
    pub fn lacking(self) -> Option<String> {
        let (there, reason) = match self {
            // SAFETY: no preconditions.
            Need::Root => (unsafe { libc::geteuid() } == 0, "it needs root".to_owned()),
            Need::Btf => (exists("/sys/kernel/btf/vmlinux"), "this kernel offers no BTF".to_owned()),
            Need::Kprobes => (kprobes(), "this kernel has no kprobes".to_owned()),
            Need::KprobeMulti => (kprobe_multi(), "this kernel has no kprobe-multi".to_owned()),
            Need::Tracefs => (exists("/sys/kernel/tracing/trace_pipe"), "tracefs is not mounted".to_owned()),
            Need::X86 => (cfg!(target_arch = "x86_64"), "it is for x86-64".to_owned()),
            Need::Uprobes => (exists("/sys/bus/event_source/devices/uprobe"), "this kernel has no uprobes".to_owned()),
            Need::Tool(name) => (in_path(name), format!("there is no program `{name}`")),
        };
        (!there).then_some(reason)
    }
}

fn exists(path: &str) -> bool {
    Path::new(path).exists()
}

fn kprobes() -> bool {
    exists("/sys/bus/event_source/devices/kprobe")
}

/// The kernel's own list of symbols has the attach function only with CONFIG_FPROBE.
fn kprobe_multi() -> bool {
    let symbols = std::fs::read_to_string("/proc/kallsyms").unwrap_or_default();
    symbols.lines().any(|line| line.ends_with(" register_fprobe"))
}

fn in_path(name: &str) -> bool {
    Command::new("sh").args(["-c", &format!("command -v {name}")]).output().is_ok_and(|found| found.status.success())
}
