// SPDX-License-Identifier: Apache-2.0
//! `docs/packs.md` is played: its files are written, its commands run in a shell, and what they print is compared.
//!
//! | a block that begins with | |
//! |---|---|
//! | ```` ```lua file=PATH ````, ```` ```toml file=PATH ```` | is a file |
//! | ```` ```console ```` | is played: `$ command`, and the lines that it prints; `…` stands for any characters, a line `...` for any lines |
//! | ```` ```console status=N ```` | ends with that status, after commands that end well |
//! | ```` ```console work ```` | runs one command while `cat /etc/hostname` is run again and again, and ends it by Ctrl-C |
//! | ```` ```console needs=PROGRAM ```` | is skipped, with the reason, where there is no such program |

use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;

use super::harness::{Bpflua, Need, deadline, missing, root_folder};
use super::packs_help::Packs;

struct Block {
    line: usize,
    info: String,
    text: Vec<String>,
}

impl Block {
    fn word(&self, name: &str) -> Option<&str> {
        self.info.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }
}

fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut lines = document.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let text =
                lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").map(str::to_owned).collect();
            found.push(Block { line: number + 1, info: info.to_owned(), text });
        }
    }
    found
}

/// Commands with the lines that they are to print.
fn commands(block: &Block) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for line in &block.text {
        match line.strip_prefix("$ ") {
            Some(command) => found.push((command.to_owned(), Vec::new())),
            None => found.last_mut().expect("a command first").1.push(line.clone()),
        }
    }
    found
}

/// Whether an output is as it is written.
fn fits(wanted: &[String], output: &str) -> bool {
    let line = |line: &String| match line.as_str() {
        "..." => "(?:.*\n)*?".to_owned(),
        line => format!("{}\n", regex::escape(line).replace('…', ".*")),
    };
    let pattern = format!("^{}$", wanted.iter().map(line).collect::<String>());
    Regex::new(&pattern).unwrap().is_match(output)
}

/// Runs a command beside work until it has printed what it should; what it printed.
fn at_work(packs: &Packs, command: &str, wanted: &[String]) -> String {
    let words: Vec<&str> = command.split_whitespace().skip(1).collect();
    let command = words.iter().fold(packs.run([]), Bpflua::arg);
    let mut running = command.env("XDG_CACHE_HOME", packs.path("cache")).start();
    let work = || drop(Command::new("cat").arg("/etc/hostname").stdout(Stdio::null()).status());
    running.work_until_end(work, |stdout, _| fits(wanted, stdout));
    running.interrupt().stdout
}

fn shell(packs: &Packs, command: &str) -> (Option<i32>, String) {
    let own = Path::new(env!("CARGO_BIN_EXE_bpflua")).parent().unwrap().display().to_string();
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(&packs.folder)
        .env("PATH", format!("{own}:{}", std::env::var("PATH").unwrap_or_default()))
        .env("BPFLUA_PACKS", packs.path("installed"))
        .env("XDG_CACHE_HOME", packs.path("cache"))
        .env("BPFLUA_TEST_DEADLINE", deadline().as_secs().to_string())
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(feature = "compiler")]
#[test]
fn root_the_guide_to_packs_is_played() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let document = std::fs::read_to_string(root_folder().join("docs/packs.md")).unwrap();
    let packs = Packs::new("packs-guide");
    let mut played = 0;
    for block in blocks(&document) {
        if let Some(file) = block.word("file") {
            packs.write(file, block.text.join("\n") + "\n");
        }
        let is_played = block.info.starts_with("console");
        if !is_played
            || block.word("needs").is_some_and(|tool| missing(&[Need::Tool(if tool == "git" { "git" } else { "no" })]))
        {
            continue;
        }
        let all = commands(&block);
        let last = block.word("status").map_or(0, |status| status.parse().unwrap());
        for (number, (command, wanted)) in all.iter().enumerate() {
            let is_work = block.info.split_whitespace().any(|word| word == "work");
            let (status, output) =
                if is_work { (Some(0), at_work(&packs, command, wanted)) } else { shell(&packs, command) };
            let wanted_status = if number + 1 == all.len() { last } else { 0 };
            assert!(
                status == Some(wanted_status) && fits(wanted, &output),
                "docs/packs.md:{}: $ {command}\n--- status {status:?}\n{output}\n--- wanted {wanted_status}\n{}",
                block.line,
                wanted.join("\n")
            );
            played += 1;
        }
    }
    assert!(played > 20, "{played} commands");
}

#[test]
fn outputs_are_compared_line_by_line() {
    let wanted = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(fits(&wanted("a\n...\nb … c"), "a\nb 1 c\n") && fits(&wanted("a\n...\nb … c"), "a\nx\ny\nb 1 c\n"));
    assert!(!fits(&wanted("a"), "a\nb\n") && !fits(&wanted("a\nb"), "a\n") && !fits(&wanted("a.c"), "abc\n"));
}
