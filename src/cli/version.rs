// SPDX-License-Identifier: Apache-2.0
//! The versions of bpflua and of what is linked into it.

use std::io::Write;
use std::process::ExitCode;

use crate::bpf;
use crate::lua::{compile, luajit_version};

/// Prints them.
pub fn main() -> ExitCode {
    // A reader that went away has seen enough.
    let _ = writeln!(std::io::stdout(), "bpflua {}", text());
    ExitCode::SUCCESS
}

fn text() -> String {
    let compiler = compile::version().unwrap_or_else(|| "none in this build".to_owned());
    format!(
        "{}\n{}\nlibbpf {}\ncompiler: {compiler}",
        env!("CARGO_PKG_VERSION"),
        luajit_version(),
        bpf::libbpf_version()
    )
}
