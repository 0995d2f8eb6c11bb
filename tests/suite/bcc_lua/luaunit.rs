// SPDX-License-Identifier: Apache-2.0
//! `tests/lua`: bcc's own tests of bcc-lua, each of their methods a row; and what `test_standalone.sh` looks at.

use std::os::unix::fs::symlink;
use std::process::Command;

use regex::Regex;

use super::super::harness::scratch;
use super::outcome::reason;
use super::{Launcher, Outcome, Row};

pub const FOLDER: &str = "tests/lua";

const FILES: [&str; 3] = ["test_clang.lua", "test_dump.lua", "test_uprobes.lua"];

pub fn run_all(launcher: &Launcher) -> Vec<Row> {
    FILES.iter().flat_map(|file| run(launcher, file)).collect()
}

/// Every method of one file.
fn run(launcher: &Launcher, file: &str) -> Vec<Row> {
    let text = std::fs::read_to_string(launcher.scripts.path(file)).unwrap();
    let method = Regex::new(r"(?m)^function (Test\w+):(test_\w+)\(").unwrap();
    let names: Vec<String> = method.captures_iter(&text).map(|found| format!("{}.{}", &found[1], &found[2])).collect();
    assert!(!names.is_empty(), "{file} has no tests");
    let end = launcher.command(file, &[]).run();
    let failed = failures(&end.stdout);
    let all = format!("Ran {} tests in ", names.len());
    let outcome = |name: &String| match failed.iter().find(|(failing, _)| failing == name) {
        _ if !end.stdout.contains(&all) => Outcome::Not(reason(&end.stderr, end.status)),
        Some((_, why)) => Outcome::Not(why.clone()),
        None => Outcome::Seen("passes".to_owned()),
    };
    // The runner ends with the number of failures.
    let is_told = end.status == Some(failed.len() as i32) || !end.stdout.contains(&all);
    assert!(is_told, "{file} ends with {:?}, {} tests fail:\n{}", end.status, failed.len(), end.stdout);
    names.iter().map(|name| (format!("{file} {}", name.split('.').nth(1).unwrap()), outcome(name))).collect()
}

/// The failures that LuaUnit lists, each with its reason.
fn failures(stdout: &str) -> Vec<(String, String)> {
    let head = Regex::new(r"(?m)^\d+\) (Test\w+\.test_\w+)\n").unwrap();
    let heads: Vec<(usize, usize, String)> = head
        .captures_iter(stdout)
        .map(|found| (found.get(0).unwrap().start(), found.get(0).unwrap().end(), found[1].to_owned()))
        .collect();
    let end_of = |number: usize| heads.get(number + 1).map_or(stdout.len(), |next| next.0);
    let body = |number: usize, start: usize| {
        let text = &stdout[start..end_of(number)];
        text.split("\nstack traceback:").next().unwrap_or(text)
    };
    heads.iter().enumerate().map(|(number, (_, start, name))| (name.clone(), why(body(number, *start)))).collect()
}

fn why(text: &str) -> String {
    match text.contains("error: ") {
        true => reason(text, None),
        false => text.lines().next().unwrap_or_default().to_owned(),
    }
}

/// What the shell script tries: the launcher alone, by the name that scripts call it in their first line, runs a small
/// script, and then a large one.
pub fn standalone(launcher: &Launcher) -> Outcome {
    let folder = scratch("bcc-lua-standalone");
    symlink(env!("CARGO_BIN_EXE_bpflua"), folder.join("bcc-lua")).unwrap();
    let small = folder.join("probe.lua");
    std::fs::write(&small, "#!/usr/bin/env bcc-lua\nreturn function(BPF) print(\"Hello world\") end\n").unwrap();
    let large = folder.join("offcputime.lua");
    std::fs::copy(launcher.scripts.root.join("examples/lua/offcputime.lua"), &large).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let run = |script: &std::path::Path, args: &[&str]| {
        let _ = Command::new("chmod").arg("+x").arg(script).status();
        Command::new(script).args(args).env("PATH", &path).output().unwrap()
    };
    let hello = run(&small, &[]);
    if hello.stdout != b"Hello world\n" || !hello.status.success() {
        return Outcome::Not(reason(&String::from_utf8_lossy(&hello.stderr), hello.status.code()));
    }
    let off_cpu = run(&large, &["-d", "1"]);
    if !off_cpu.status.success() {
        let why = reason(&String::from_utf8_lossy(&off_cpu.stderr), off_cpu.status.code());
        return Outcome::Not(why);
    }
    Outcome::Seen("scripts run by themselves, with bpflua as `bcc-lua`".to_owned())
}

#[test]
fn failures_of_luaunit() {
    let text = "..E\nFailed tests:\n-------------\n1) TestA.test_x\nerror: cannot do it: why (ENOENT)\n  --> a.lua:3\n\
                stack traceback:\n\ta.lua:3: in\n\n2) TestA.test_y\na.lua:9: expected: true, actual: false\n\
                stack traceback:\n\tb\n\nRan 3 tests in 0.1 seconds, 1 successes, 2 failures\n";
    let wanted =
        [("TestA.test_x", "cannot do it: why (ENOENT)"), ("TestA.test_y", "a.lua:9: expected: true, actual: false")];
    assert_eq!(failures(text), wanted.map(|(name, why)| (name.to_owned(), why.to_owned())));
}
