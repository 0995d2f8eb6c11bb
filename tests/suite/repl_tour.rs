// SPDX-License-Identifier: Apache-2.0
//! `docs/repl.md`: every transcript in it is what the prompt does.
//!
//! A block begins with ```` ```repl ````. The lines behind its prompts are typed into one session, block after block; what
//! the terminal then shows must be what the block shows, numbers and times apart. `BPFLUA_UPDATE_DOCS=1` writes what
//! was seen into the document. Words behind ```` ```repl ````, which readers of the page do not see:
//!
//! Virtual machines are too slow for it: what comes without being asked for would stand elsewhere.
//!
//! | word | meaning |
//! |---|---|
//! | `wait=TEXT` | the block ends when the screen has this, `_` for a space: what comes without being asked for |
//! | `like` | what is shown differs between runs: the lines of the comment `<!-- prints … -->` behind it must come, in order, as regular expressions |
//! | `cut=N` | of what is shown, the document has the first and the last N lines; goes with `like` |
//! | `leave=KEY` | the block's one line is left open, or opens a view: what is shown is taken once it has the text of `wait`, and the key (`^C`, `q`) leaves it. `⇥` in the line is the Tab key |
//! | `calls` | while the block is waited for, getpgid(2) is called from here |

use regex::Regex;

use bpflua::lua::Syntax;

use super::docs::first_missing;
use super::harness::{Need, OnTerminal, Terminal, missing, root_folder, scratch};

const DOCUMENT: &str = "docs/repl.md";

/// A transcript in the document.
struct Block {
    /// The lines of the document that it takes, without its fences.
    first: usize,
    last: usize,
    info: String,
    text: String,
    prints: Vec<String>,
}

impl Block {
    fn word(&self, name: &str) -> Option<String> {
        let word = self.info.split_whitespace().find(|word| word.split('=').next() == Some(name))?;
        Some(word[name.len()..].trim_start_matches('=').replace('_', " "))
    }
}

fn blocks(document: &str) -> Vec<Block> {
    let lines: Vec<&str> = document.lines().collect();
    let mut found: Vec<Block> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let end = |mark: &str| (at + 1..lines.len()).find(|&end| lines[end] == mark).unwrap_or(lines.len());
        if let Some(info) = lines[at].strip_prefix("```repl") {
            let last = end("```");
            let text = lines[at + 1..last].join("\n");
            found.push(Block { first: at + 1, last, info: info.to_owned(), text, prints: Vec::new() });
            at = last;
        } else if lines[at] == "<!-- prints" {
            let last = end("-->");
            let prints = lines[at + 1..last].iter().map(|&line| line.to_owned());
            found.last_mut().expect("a block before `prints`").prints.extend(prints);
            at = last;
        } else if lines[at].starts_with("```") {
            at = end("```");
        }
        at += 1;
    }
    found
}

/// What a transcript has behind its prompts: statements, of several lines where they are open.
fn inputs(transcript: &str) -> Vec<String> {
    let prompt = Regex::new(r"^bpflua \d+> (.*)$").unwrap();
    let syntax = Syntax::default();
    let mut found: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in transcript.lines() {
        if let Some(input) = prompt.captures(line) {
            found.push(input[1].to_owned());
        } else if is_open {
            let text = found.last_mut().expect("a prompt first");
            text.push('\n');
            text.push_str(line);
        } else {
            continue;
        }
        let text = found.last().map_or("", String::as_str);
        is_open = !text.starts_with([':', '!']) && !text.ends_with('?') && syntax.is_incomplete(text);
    }
    found
}

/// A transcript without what differs between runs.
fn masked(text: &str) -> String {
    let number = Regex::new(r"0x[0-9a-f]+|[0-9][0-9,.]*( ?(ns|µs|us|ms|s)\b)?").unwrap();
    let space = Regex::new(r"[ \t]+|\*{2,}|@{2,}").unwrap();
    let lines = text.lines().map(|line| space.replace_all(&number.replace_all(line, "#"), " ").trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

fn call() {
    // SAFETY: takes no pointers.
    unsafe { libc::getpgid(0) };
}

/// Types the one line of a block that is left by a key, and gives what the terminal shows until then.
fn play_open(terminal: &mut Terminal, block: &Block, before: usize, key: &str) -> String {
    let line = block.text.lines().next().expect("a line");
    let typed = line.split_once("> ").expect("a prompt").1;
    terminal.until_raw();
    let is_view = key == "q";
    terminal.keys(&typed.replace('⇥', "\t"));
    terminal.keys(if is_view { "\r" } else { "" });
    let wanted = block.word("wait").expect("`leave` goes with `wait`");
    // A view has the whole screen; what Tab lists stands below the line, and the line again below that.
    let seen = terminal.until(&wanted, |screen| {
        let new: Vec<&str> = screen.lines().skip(if is_view { 0 } else { before }).collect();
        let is_open = !is_view || new.first().is_some_and(|line| line.ends_with("q quits"));
        (is_open && new.iter().any(|line| line.contains(&wanted))).then(|| new.join("\n"))
    });
    terminal.keys(if is_view { "q" } else { "\x03" });
    terminal.until("a prompt", |screen| is_prompt(screen.lines().last()?).then_some(()));
    format!("{line}\n{seen}")
}

/// Types the statements of a block and gives what the terminal shows of it.
fn play(terminal: &mut Terminal, block: &Block) -> String {
    let before = terminal.until("a prompt", |screen| is_prompt(screen.lines().last()?).then(|| screen.lines().count()));
    if let Some(key) = block.word("leave") {
        return play_open(terminal, block, before, &key);
    }
    let calls = block.word("calls").is_some();
    for input in inputs(&block.text) {
        let lines = terminal.screen().lines().count();
        terminal.until_raw();
        terminal.lines(&input);
        terminal.until(&input, |screen| {
            if calls {
                call();
            }
            (is_prompt(screen.lines().last()?) && screen.lines().count() > lines).then_some(())
        });
    }
    if let Some(wanted) = block.word("wait") {
        terminal.until(&wanted, |screen| {
            if calls {
                call();
            }
            let new = screen.lines().skip(before - 1).collect::<Vec<_>>().join("\n");
            (new.contains(&wanted) && is_prompt(screen.lines().last()?)).then_some(())
        });
    }
    let screen = terminal.screen();
    let lines: Vec<&str> = screen.lines().skip(before - 1).map(str::trim_end).collect();
    lines[..lines.len().saturating_sub(1)].join("\n")
}

/// What the document has of a transcript.
fn cut(block: &Block, seen: &str) -> Vec<String> {
    let lines: Vec<String> = seen.lines().map(str::to_owned).collect();
    match block.word("cut").and_then(|count| count.parse::<usize>().ok()) {
        Some(count) if lines.len() > 2 * count + 2 => {
            [&lines[..=count], &["[…]".to_owned()], &lines[lines.len() - count..]].concat()
        }
        _ => lines,
    }
}

fn is_prompt(line: &str) -> bool {
    line.starts_with("bpflua ") && line.trim_end().ends_with('>')
}

/// What is wrong with what was seen.
fn fault(block: &Block, seen: &str) -> Option<String> {
    let what = if block.word("like").is_some() {
        assert!(!block.prints.is_empty(), "{DOCUMENT}:{}: nothing tells what must be printed", block.first);
        first_missing(&block.prints, seen).map(|line| format!("does not print `{line}`"))
    } else {
        (masked(&block.text) != masked(seen)).then(|| "shows something else".to_owned())
    };
    what.map(|what| format!("{DOCUMENT}:{}: {what}\n--- seen\n{seen}\n--- the document\n{}", block.first, block.text))
}

#[test]
fn the_tours_transcript_is_what_the_prompt_shows() {
    if missing(&[Need::Root, Need::Btf, Need::Tracefs]) {
        return;
    }
    let file = root_folder().join(DOCUMENT);
    let document = std::fs::read_to_string(&file).unwrap();
    let blocks = blocks(&document);
    assert!(blocks.len() > 5, "{DOCUMENT} has {} transcripts", blocks.len());
    let home = scratch("repl-tour");
    // An editor that does what the page says its reader does.
    let editor = home.join("editor");
    std::fs::write(&editor, "#!/bin/sh\nsed -i 's/u64 limit = 0;/u64 limit = 1000000;/' \"$1\"\n").unwrap();
    std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let bpflua = env!("CARGO_BIN_EXE_bpflua");
    let mut terminal =
        OnTerminal::program(bpflua, &home).env("EDITOR", &editor).size(120, 1000).current_dir(&home).start();
    let seen: Vec<String> = blocks.iter().map(|block| play(&mut terminal, block)).collect();
    drop(terminal);
    if std::env::var_os("BPFLUA_UPDATE_DOCS").is_some() {
        let mut lines: Vec<String> = document.lines().map(str::to_owned).collect();
        for (block, seen) in blocks.iter().zip(&seen).rev() {
            lines.splice(block.first..block.last, cut(block, seen));
        }
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
    }
    let faults: Vec<String> = blocks.iter().zip(&seen).filter_map(|(block, seen)| fault(block, seen)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

#[test]
fn transcripts_are_taken_apart() {
    let text = "x\n```repl like wait=a_b\nbpflua 1> for i = 1, 2 do\nprint(i)\nend\n1\n2\nbpflua 2> :help\nlist\n```\n<!-- prints\n^1$\n-->\n";
    let found = blocks(text);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].first, found[0].last, found[0].word("wait").as_deref()), (2, 9, Some("a b")));
    assert_eq!(found[0].prints, ["^1$"]);
    assert_eq!(inputs(&found[0].text), ["for i = 1, 2 do\nprint(i)\nend", ":help"]);
    assert_eq!(masked("a  12 ms 0x1f\n1,234 b ****"), masked("a 9 µs 0x0\n5 b **"));
    assert_ne!(masked("a 1"), masked("b 1"));
}
