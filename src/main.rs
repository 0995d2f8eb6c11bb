// SPDX-License-Identifier: Apache-2.0
//! The `bpflua` command.

fn main() -> std::process::ExitCode {
    bpflua::cli::main()
}
