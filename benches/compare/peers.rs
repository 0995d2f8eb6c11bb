// SPDX-License-Identifier: Apache-2.0
//! Who is compared: bpflua itself, Debian's packages, and C with libbpf (`benches/peers`).

use std::path::{Path, PathBuf};
use std::process::Command;

use super::process;

pub const BPFLUA: &str = "bpflua";
pub const PYTHON: &str = "bcc-python";
pub const LUA: &str = "bcc-lua";
pub const BPFTRACE: &str = "bpftrace";
pub const LIBBPF: &str = "C libbpf";

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The build of bpflua that is measured: `$BPFLUA`, or this build's.
pub fn bpflua() -> String {
    std::env::var("BPFLUA").unwrap_or_else(|_| env!("CARGO_BIN_EXE_bpflua").to_owned())
}

/// The build without the compiler, by `benches/run`.
pub fn lite() -> Option<String> {
    let path = root().join("target/lite/release/bpflua");
    path.exists().then(|| path.display().to_string())
}

/// A file of `benches/scripts` or `benches/peers`.
pub fn file(name: &str) -> String {
    root().join("benches").join(name).display().to_string()
}

/// The folder of what is built and written while measuring.
pub fn work() -> PathBuf {
    root().join("target/compare")
}

/// Runs one of the C programs in `benches/peers`, which `benches/peers/build` has built.
pub fn libbpf(name: &str) -> Command {
    Command::new(work().join("peers").join(name))
}

/// Runs a script with this bpflua.
pub fn script(name: &str, options: &[&str]) -> Command {
    let mut command = Command::new(bpflua());
    // The headers are for bcc: bpflua would compile against them, too.
    command.env_remove("BCC_KERNEL_SOURCE").args(options).arg(file(&format!("scripts/{name}.lua")));
    command
}

/// Runs a script with bcc's Python. It compiles against the kernel's own headers, or else those in the cache of `tests/vm`.
pub fn python(name: &str) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    command.arg(file(&format!("peers/{name}.py")));
    with_headers(command)
}

/// Runs a script with bcc-lua. Debian's does not name the library that it needs.
pub fn bcc_lua(name: &str) -> Command {
    let mut command = Command::new("bcc-lua");
    command.arg(file(&format!("peers/{name}.lua"))).env("LD_PRELOAD", "libbcc.so.0");
    with_headers(command)
}

fn with_headers(mut command: Command) -> Command {
    let headers = root().join(".vm-cache/conformance/peer/headers");
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    if std::env::var_os("BCC_KERNEL_SOURCE").is_none()
        && !Path::new("/lib/modules").join(release.trim()).join("build").exists()
        && headers.exists()
    {
        command.env("BCC_KERNEL_SOURCE", headers);
    }
    command
}

/// The versions of all sides, for the head of the table.
pub fn versions() -> Vec<String> {
    let first_line = |words: &[&str]| {
        let output = process::command(words).output().ok()?;
        String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
    };
    let package = |name: &str| {
        let version = first_line(&["dpkg-query", "-W", "-f", "${Version}", name]);
        format!("{name} {}", version.filter(|version| !version.is_empty()).unwrap_or_else(|| "missing".to_owned()))
    };
    let own = first_line(&[&bpflua(), "--version"]).unwrap_or_default();
    std::iter::once(own).chain(["bpftrace", "bpfcc-tools", "bpfcc-lua", "clang-19"].map(package)).collect()
}
