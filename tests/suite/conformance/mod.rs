// SPDX-License-Identifier: Apache-2.0
//! The conformance run: the C texts of all the tools of Debian's bpfcc-tools, compiled for this kernel and for others,
//! loaded and attached there. `tests/conformance` has the parts; what came of each text is kept in its `tables`, one for
//! each kernel.
//!
//! Everything but loading and attaching happens here, also for other kernels: their symbols, types and tracepoints are in
//! the cache. A virtual machine gets finished objects.

mod attaching;
mod compiling;
mod outcome;
mod starting;
mod table;
mod texts;

use std::path::{Path, PathBuf};
use std::process::Command;

use super::harness::{Need, missing, root_folder, scratch, skip, vm_series};
use outcome::Outcome;
use texts::Tools;

/// Where a virtual machine finds what it is to load, and leaves what came of it.
const FOLDER: &str = "BPFLUA_CONFORMANCE_FOLDER";
/// Unless `BPFLUA_TEST_KERNELS` says otherwise.
const KERNELS: &str = "6.1 6.12";

#[test]
fn tools_of_bcc_under_this_kernel() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs, Need::X86, Need::Tool("python3"), Need::Tool("cc")]) {
        return;
    }
    let folder = scratch("conformance-here");
    let kernel = folder.join("kernel");
    std::fs::create_dir(&kernel).unwrap();
    for (name, path) in [
        ("kallsyms", "/proc/kallsyms"),
        ("tracing", "/sys/kernel/tracing"),
        ("btf", "/sys/kernel/btf/vmlinux"),
        ("version", "/proc/sys/kernel/version"),
        ("release", "/proc/sys/kernel/osrelease"),
    ] {
        std::os::unix::fs::symlink(path, kernel.join(name)).unwrap();
    }
    let Some(tools) = prepare(&folder, &kernel) else { return };
    let outcomes = attaching::attach_all(&folder);
    let started = starting::start_all(&folder, &outcomes);
    println!("{started} tools started, printed and ended");
    table::check(&kernel, &tools, &outcomes);
}

#[test]
fn tools_of_bcc_under_other_kernels() {
    if vm_series().is_some() {
        return skip("not in a VM");
    }
    if missing(&[Need::X86, Need::Tool("python3"), Need::Tool("cc")]) {
        return;
    }
    let kernels = std::env::var("BPFLUA_TEST_KERNELS").unwrap_or_else(|_| KERNELS.to_owned());
    for series in kernels.split_whitespace() {
        let Some(kernel) = cached_kernel(series) else {
            skip(&format!("the cache has nothing of Linux {series}: `tests/conformance/fetch --kernel {series}`"));
            continue;
        };
        let folder = scratch(&format!("conformance-{series}"));
        let Some(tools) = prepare(&folder, &kernel) else { return };
        let outcomes = in_machine(series, &folder, &kernel);
        table::check(&kernel, &tools, &outcomes);
    }
}

/// Runs in a virtual machine, started by the test above.
#[test]
#[ignore = "a part of `tools_of_bcc_under_other_kernels`"]
fn load_and_attach() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    load_modules(&PathBuf::from(std::env::var_os("BPFLUA_CONFORMANCE_KERNEL").unwrap()));
    let outcomes = attaching::attach_all(&folder);
    let started = starting::start_all(&folder, &outcomes);
    assert!(started > 60, "only {started} tools could be started");
    outcome::write(&folder, &outcomes);
}

/// The tools' texts, compiled, with all that is to be done with them, in the folder; `None` when the package is not there.
fn prepare(folder: &Path, kernel: &Path) -> Option<Tools> {
    let Some(package) = only_entry(&cache().join("bpfcc-tools")) else {
        skip("the cache has no bpfcc-tools: `tests/conformance/fetch`");
        return None;
    };
    let tools = texts::extract(folder, kernel, &package);
    compiling::compile_all(folder, kernel, &tools);
    Some(tools)
}

fn in_machine(series: &str, folder: &Path, kernel: &Path) -> Vec<Outcome> {
    let mut command = Command::new(root_folder().join("tests/vm/run"));
    command.args(["--kernel", series, "--writable"]).arg(folder).args(["--env", &format!("BPFLUA_TEST_VM={series}")]);
    command.args(["--env", &format!("{FOLDER}={}", folder.display())]);
    command.args(["--env", &format!("BPFLUA_CONFORMANCE_KERNEL={}", kernel.display())]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["suite::conformance::load_and_attach", "--exact", "--ignored", "--nocapture"]);
    let ended = command.current_dir(root_folder()).output().unwrap();
    let told = [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).join("\n");
    assert!(ended.status.success(), "Linux {series} in a VM: {}\n{told}", ended.status);
    outcome::read(folder)
}

/// The kernel modules that some tools trace.
fn load_modules(kernel: &Path) {
    let mut modules: Vec<PathBuf> = entries(&kernel.join("modules"));
    modules.sort();
    for module in modules {
        let status = Command::new("busybox").arg("insmod").arg(&module).status().unwrap();
        assert!(status.success(), "cannot load kernel module {}", module.display());
    }
}

fn cached_kernel(series: &str) -> Option<PathBuf> {
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut kernels = entries(&cache().join("kernels"));
    kernels.retain(|path| name(path).starts_with(&format!("{series}.")));
    kernels.into_iter().max()
}

fn cache() -> PathBuf {
    let cache = std::env::var_os("BPFLUA_VM_CACHE").map_or_else(|| root_folder().join(".vm-cache"), PathBuf::from);
    cache.join("conformance")
}

fn only_entry(folder: &Path) -> Option<PathBuf> {
    entries(folder).into_iter().next()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
