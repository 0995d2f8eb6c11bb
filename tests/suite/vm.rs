// SPDX-License-Identifier: Apache-2.0
//! The tests that need root, again under other kernels: one boot for each, in a virtual machine.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use super::harness::{adopt, bpflua, root_folder, skip, table, vm_series};
use super::headers::headers;

/// Virtual machines that run at the same time.
const MACHINES_AT_ONCE: usize = 2;

/// Unless `BPFLUA_TEST_KERNELS` says otherwise; `tests/run --all-kernels` does.
const KERNELS: &str = "6.1 6.12";
/// What all of them take on an idle machine of two processors is half of it.
const MACHINE_SECONDS: &str = "3000";
/// What `tests/vm/run` ends with when it cannot start a machine.
const NO_HARNESS: i32 = 125;

#[test]
fn other_kernels() {
    if vm_series().is_some() {
        return skip("not in a VM");
    }
    compile_portable_object();
    super::packs_built::build_portable_pack();
    if let Err(why) = headers("6.1") {
        say(&format!("skipped: headers of Linux 6.1: {why}\n"));
    }
    let kernels = std::env::var("BPFLUA_TEST_KERNELS").unwrap_or_else(|_| KERNELS.to_owned());
    let mut failed: Vec<&str> = Vec::new();
    // A machine has one processor, emulated on one of ours.
    for several in kernels.split_whitespace().collect::<Vec<_>>().chunks(MACHINES_AT_ONCE) {
        std::thread::scope(|scope| {
            let shares = several.iter().enumerate().map(|(at, kernel)| (*kernel, (at, several.len())));
            let runs: Vec<_> =
                shares.map(|(kernel, share)| (kernel, scope.spawn(move || passes(kernel, share)))).collect();
            failed.extend(runs.into_iter().filter_map(|(kernel, run)| (!run.join().unwrap()).then_some(kernel)));
        });
    }
    say(&format!("\n{}", table()));
    assert!(failed.is_empty(), "tests failed under Linux {}: see their output above", failed.join(", "));
}

/// For the test that loads an object under another kernel than it was compiled under.
fn compile_portable_object() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("portable.o");
    bpflua(["compile", "tests/runtime/portable/portable.c", "-o"]).arg(file).run().expect(0);
}

/// Runs the tests whose names hold `root_` under one kernel, their output passed on as it comes.
///
/// Machines that run at the same time share the Lua files that are not of tools, unless `BPFLUA_TEST_WHOLE` is set.
fn passes(kernel: &str, (mine, of): (usize, usize)) -> bool {
    let mut command = Command::new(root_folder().join("tests/vm/run"));
    command.args(["--kernel", kernel, "--timeout", MACHINE_SECONDS, "--env", &format!("BPFLUA_TEST_VM={kernel}")]);
    if std::env::var_os("BPFLUA_TEST_WHOLE").is_none() {
        command.args(["--env", &format!("BPFLUA_TEST_SHARE={mine}/{of}")]);
    }
    command.args(goldens());
    command.arg(std::env::current_exe().unwrap()).args(["--test-threads=1", "root_"]);
    command.current_dir(root_folder()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stderr = child.stderr.take().unwrap();
    let tag = format!("Linux {kernel}: ");
    let errors = std::thread::spawn({
        let tag = tag.clone();
        move || pass_on(&tag, stderr)
    });
    pass_on(&tag, child.stdout.take().unwrap());
    let told = errors.join().unwrap();
    let status = child.wait().unwrap();
    if status.code() == Some(NO_HARNESS) {
        skip(&format!("Linux {kernel} in a VM: {}", told.trim().replace('\n', "; ")));
        return true;
    }
    status.success()
}

/// Where the goldens are, which insta would ask cargo for. `INSTA_UPDATE=always` writes those of the kernel.
fn goldens() -> Vec<String> {
    let update = std::env::var("INSTA_UPDATE").ok();
    let environment = [
        format!("INSTA_WORKSPACE_ROOT={}", root_folder().display()),
        format!("INSTA_UPDATE={}", update.as_deref().unwrap_or("no")),
    ];
    let scripts = ["BPFLUA_BCC_CHECKOUT", "BPFLUA_VM_CACHE"];
    let passed_on = scripts.iter().filter_map(|name| Some(format!("{name}={}", std::env::var(name).ok()?)));
    let mut arguments: Vec<String> =
        environment.into_iter().chain(passed_on).flat_map(|pair| ["--env".to_owned(), pair]).collect();
    if update.is_some() {
        for folder in ["tests/runtime", "tests/conformance/tables"] {
            arguments.extend(["--writable".to_owned(), root_folder().join(folder).display().to_string()]);
        }
    }
    arguments
}

/// Prints each line at once, past the test runner; takes rows of the table out. Gives all of it.
fn pass_on(tag: &str, pipe: impl std::io::Read) -> String {
    let mut all = String::new();
    for line in BufReader::new(pipe).lines() {
        let line = line.unwrap_or_else(|error| format!("({error})"));
        if !adopt(&line) {
            say(&format!("{tag}{line}\n"));
            all += &line;
            all.push('\n');
        }
    }
    all
}

fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
