// SPDX-License-Identifier: Apache-2.0
//! The documents in `docs/`: every block of Lua in them runs, and prints what the document says.
//!
//! A block begins with ```` ```lua ````; words behind it, which readers of the page do not see, say how it is run:
//!
//! | word | meaning |
//! |---|---|
//! | `file=NAME` | it is a whole script, kept as NAME for later blocks |
//! | `needs=kprobes` | skipped, with its reason, where the kernel has none; `needs=usdt`: likewise, without uprobes or gcc |
//! | `args=…` | arguments of the script, separated by commas; `PID` is that of the workload |
//! | `fails` | it ends with an error, which the golden lines are looked for in |
//!
//! Lines that must come in the output, in order, stand behind the block in a comment `<!-- prints … -->`, as regular
//! expressions. A comment `<!-- setup … -->` before blocks is Lua that runs in front of each of them, up to the next
//! heading of its depth or above. Each script is ended by Ctrl-C once it has printed what it should.

use std::path::{Path, PathBuf};

use regex::Regex;

use super::harness::{Need, bpflua, missing, root_folder, scratch, skip};

/// One block of Lua in a document.
#[derive(Debug, Default, Clone)]
pub(super) struct Block {
    pub(super) line: usize,
    /// The how-manieth `## ` heading it stands under.
    pub(super) section: usize,
    info: String,
    setup: String,
    pub(super) text: String,
    pub(super) prints: Vec<String>,
}

impl Block {
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        let is_ours =
            |word: &&str| word.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
        let word = self.info.split_whitespace().find(is_ours)?;
        Some(word[name.len()..].trim_start_matches('='))
    }

    pub(super) fn script(&self) -> String {
        format!("{}{}", self.setup, self.text)
    }
}

/// The blocks of a document, each with its setup and what it prints.
pub(super) fn blocks(document: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    // Setups by the depth of the heading they stand under.
    let mut setups: Vec<(usize, String)> = Vec::new();
    let (mut depth, mut section) = (0, 0);
    let mut lines = document.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let mut until = |end: &str| {
            let taken = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != end);
            taken.map(str::to_owned).collect::<Vec<String>>()
        };
        if let Some(info) = line.strip_prefix("```lua") {
            let text = until("```").join("\n") + "\n";
            let setup = setups.iter().map(|(_, text)| text.as_str()).collect();
            found.push(Block { line: number + 1, section, info: info.to_owned(), setup, text, prints: Vec::new() });
        } else if line.starts_with("```") {
            until("```");
        } else if line == "<!-- prints" {
            found.last_mut().expect("a block before `prints`").prints.extend(until("-->"));
        } else if line == "<!-- setup" {
            setups.push((depth, until("-->").join("\n") + "\n"));
        } else if line.starts_with('#') {
            depth = line.chars().take_while(|&char| char == '#').count();
            section += usize::from(depth == 2);
            setups.retain(|(of, _)| *of < depth);
        }
    }
    found
}

/// Where in `output` each expression matches a line, in order; the first that does not.
pub(super) fn first_missing<'a>(prints: &'a [String], output: &str) -> Option<&'a str> {
    let mut lines = output.lines();
    prints.iter().map(String::as_str).find(|&wanted| {
        let wanted = Regex::new(wanted).unwrap_or_else(|error| panic!("{wanted}: {error}"));
        !lines.any(|line| wanted.is_match(line))
    })
}

/// Runs a block as a script in `folder`; what went wrong.
pub(super) fn run(block: &Block, file: &Path, folder: &Path) -> Result<(), String> {
    std::fs::write(file, block.script()).unwrap();
    let pid = std::process::id().to_string();
    let args = block.word("args").unwrap_or_default().split(',').filter(|arg| !arg.is_empty());
    let args = args.map(|arg| if arg == "PID" { pid.clone() } else { arg.to_owned() });
    let mut command = bpflua([file.file_name().unwrap()]).current_dir(folder);
    for arg in args {
        command = command.arg(arg);
    }
    let mut running = command.start();
    let fails = block.word("fails").is_some();
    let mut missing = None;
    let finished = running.work_until_end(workload, |stdout, stderr| {
        let output = if fails { stderr } else { stdout };
        missing = first_missing(&block.prints, output).map(str::to_owned);
        missing.is_none() && !block.prints.is_empty() && !fails
    });
    let ended = if finished { running.end() } else { running.interrupt() };
    if let Some(line) = missing {
        return Err(format!("does not print `{line}`\n--- stdout\n{}\n--- stderr\n{}", ended.stdout, ended.stderr));
    }
    match (ended.status, fails) {
        (Some(0), false) | (Some(1 | 3), true) => Ok(()),
        (status, _) => Err(format!("ends with {status:?}\n--- stdout\n{}\n--- stderr\n{}", ended.stdout, ended.stderr)),
    }
}

/// What scripts see of this machine while they run: processes, files, reads, switches.
fn workload() {
    let _ = std::fs::read("/proc/self/stat");
    let _ = std::process::Command::new("sh").args(["-c", "cat /proc/self/stat >/dev/null; :"]).status();
}

/// Whether a block needs what this kernel has not; then the reason is printed.
pub(super) fn lacks_what_it_needs(name: &str, block: &Block) -> bool {
    let needs: &[Need] = match block.word("needs") {
        Some("kprobes") => &[Need::Kprobes],
        Some("usdt") => &super::usdt::NEEDS,
        Some(other) => panic!("{name}:{}: no need is called `{other}`", block.line),
        None => &[],
    };
    let reason = needs.iter().find_map(|need| need.lacking());
    if let Some(reason) = &reason {
        skip(&format!("{name}:{}: {reason}", block.line));
    }
    reason.is_some()
}

fn check(name: &str) {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let document = std::fs::read_to_string(root_folder().join(name)).unwrap();
    let folder = scratch(&format!("docs-{}", name.replace('/', "-")));
    let mut failed = Vec::new();
    let blocks = blocks(&document);
    assert!(!blocks.is_empty(), "{name} has no block of Lua");
    for block in &blocks {
        if lacks_what_it_needs(name, block) {
            continue;
        }
        let file: PathBuf = folder.join(block.word("file").unwrap_or("block.lua"));
        if let Err(why) = run(block, &file, &folder) {
            failed.push(format!("{name}:{}: {why}", block.line));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn root_the_tutorials_programs_run() {
    check("docs/tutorial.md");
}

#[test]
fn root_the_programs_for_users_of_bcc_run() {
    check("docs/from-bcc.md");
}

#[test]
fn blocks_are_found_with_their_setups_and_output() {
    let text = "# A\n<!-- setup\nlocal a\n-->\n## B\n<!-- setup\nlocal b\n-->\n```lua fails\nx()\n```\n<!-- prints\n^x\n-->\n\
                ## C\n```sh\nls\n```\n```lua file=c.lua\ny()\n```\n";
    let found = blocks(text);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].script(), "local a\nlocal b\nx()\n");
    assert_eq!((found[0].prints.as_slice(), found[0].word("fails")), (&["^x".to_owned()][..], Some("")));
    assert_eq!((found[1].script().as_str(), found[1].word("file")), ("local a\ny()\n", Some("c.lua")));
    assert_eq!(first_missing(&["a".into(), "b".into()], "1 a\nx\nb\n"), None);
    assert_eq!(first_missing(&["b".into(), "a".into()], "a\nb\n"), Some("a"));
}
