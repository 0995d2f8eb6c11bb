// SPDX-License-Identifier: Apache-2.0
//! Checks of the tree itself: the map in `ARCHITECTURE.md` stays true because these fail when it does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::too_many_lines,
    reason = "a test fails by panicking, and tells what it skips"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms each room may name. The order is the one of the map: imports point down this list.
const ROOMS: &[(&str, &[&str])] = &[
    (
        "cli",
        &[
            "repl",
            "lua",
            "events",
            "probes",
            "bpf",
            "symbolize",
            "compiler",
            "packs",
            "kernel",
            "suggest",
            "colour",
            "timings",
            "error",
        ],
    ),
    ("repl", &["lua", "error", "suggest", "digits", "colour"]),
    (
        "lua",
        &[
            "events",
            "probes",
            "bpf",
            "symbolize",
            "compiler",
            "packs",
            "report",
            "kernel",
            "suggest",
            "fuzzy",
            "resident",
            "timings",
            "error",
        ],
    ),
    ("events", &["bpf", "kernel", "error"]),
    ("probes", &["bpf", "symbolize", "kernel", "suggest", "fuzzy", "error"]),
    ("bpf", &["symbolize", "kernel", "suggest", "timings", "error"]),
    ("symbolize", &["kernel", "suggest", "error"]),
    ("compiler", &["kernel", "suggest", "timings", "error"]),
    ("packs", &["error"]),
    ("report", &["digits", "error"]),
    ("kernel", &["suggest", "digits", "error"]),
    ("suggest", &["error"]),
    ("fuzzy", &[]),
    ("digits", &[]),
    ("colour", &[]),
    ("resident", &[]),
    ("timings", &[]),
    ("error", &[]),
];

/// The rooms that may name each foreign crate.
const CRATES: &[(&str, &[&str])] = &[
    ("clap", &["cli"]),
    ("rustyline", &["repl"]),
    ("mlua", &["lua"]),
    ("libbpf_rs", &["bpf", "events"]),
    ("libbpf_sys", &["bpf", "events"]),
    ("llvm_sys", &["compiler"]),
    ("clang_sys", &["compiler"]),
    ("blazesym", &["symbolize"]),
    ("inferno", &["report"]),
    ("memmap2", &["symbolize"]),
    ("oci_client", &["packs"]),
    ("tokio", &["packs"]),
    ("tar", &["packs"]),
    ("ruzstd", &["kernel", "packs"]),
    ("sha2", &["packs"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files_under(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(dir) = pending.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|e| endings.iter().any(|ending| e == *ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn rust_sources() -> Vec<(PathBuf, String)> {
    let read = |path: PathBuf| fs::read_to_string(&path).ok().map(|text| (path, text));
    files_under(&root().join("src"), &["rs"]).into_iter().filter_map(read).collect()
}

/// The room of a file under `src/`: its folder, or the file itself at the floor.
fn room_of(path: &Path) -> String {
    let below = path.strip_prefix(root().join("src")).unwrap();
    let first = below.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// Code without comments: doc links may point anywhere.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line.split("//").next().unwrap_or("")))
        .filter(|(_, l)| !l.trim().is_empty())
}

/// The rooms that a line names: `crate::room` and `use crate::{room::…, other}`.
fn named_rooms(line: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut rooms = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => {
                let mut depth = 0;
                let mut start = true;
                for (i, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 0 => start = true,
                        c if start && !c.is_whitespace() => {
                            rooms.push(word(&group[i..]));
                            start = false;
                        }
                        _ => {}
                    }
                }
            }
            None => rooms.push(word(rest)),
        }
    }
    rooms
}

#[test]
fn imports_point_down_the_map() {
    let allowed: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (path, text) in rust_sources() {
        let room = room_of(&path);
        let Some(may) = allowed.get(room.as_str()) else { continue };
        for (number, line) in code_lines(&text) {
            for named in named_rooms(line) {
                if named != room && allowed.contains_key(named.as_str()) && !may.contains(&named.as_str()) {
                    wrong.push(format!("{}:{number}: `{room}` names `{named}`", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the map:\n{}", wrong.join("\n"));
}

#[test]
fn every_room_is_on_the_map() {
    let known: Vec<&str> = ROOMS.iter().map(|(room, _)| *room).chain(["lib", "main"]).collect();
    for (path, _) in rust_sources() {
        assert!(known.contains(&room_of(&path).as_str()), "{} is in no room of the map", path.display());
    }
}

#[test]
fn one_foreign_crate_per_room() {
    let mut wrong = Vec::new();
    for (path, text) in rust_sources() {
        let room = room_of(&path);
        for (number, line) in code_lines(&text) {
            for (name, rooms) in CRATES {
                if line.contains(&format!("{name}::")) && !rooms.contains(&room.as_str()) {
                    wrong.push(format!("{}:{number}: `{name}` belongs to {rooms:?}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "foreign crates out of their rooms:\n{}", wrong.join("\n"));
}

#[test]
fn files_stay_small() {
    let sources = rust_sources();
    let long: Vec<String> = sources
        .iter()
        .filter(|(_, text)| text.lines().count() > 400)
        .map(|(path, text)| format!("{} ({} lines)", path.display(), text.lines().count()))
        .collect();
    assert!(long.len() * 10 <= sources.len(), "more than one file in ten is over 400 lines:\n{}", long.join("\n"));
}

#[test]
fn every_unsafe_block_says_why() {
    let mut wrong = Vec::new();
    for (path, text) in rust_sources() {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            if !code.contains("unsafe {") || code.contains("unsafe extern") {
                continue;
            }
            let noted = lines[number.saturating_sub(6)..=number].iter().any(|near| near.contains("SAFETY:"));
            if !noted {
                wrong.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "unsafe without a SAFETY note:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_names_its_licence() {
    let host = "SPDX-License-Identifier: Apache-2.0";
    let shared = "SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only";
    let endings = ["rs", "cpp", "h", "lua", "c", "sh"];
    for dir in ["src", "tests", "benches", "examples", "scripts", "bpf-include"] {
        let wanted = if ["scripts", "bpf-include"].contains(&dir) { shared } else { host };
        for path in files_under(&root().join(dir), &endings) {
            let text = fs::read_to_string(&path).unwrap();
            let head: String = text.lines().take(3).collect();
            assert!(head.contains(wanted), "{} does not say `{wanted}` in its first lines", path.display());
        }
    }
}

#[test]
fn the_readme_lists_every_example() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for path in files_under(&root().join("examples"), &["lua"]) {
        let name = format!("examples/{}", path.file_name().unwrap().to_string_lossy());
        assert!(readme.contains(&name), "README.md does not mention `{name}`");
    }
}

#[test]
fn the_map_names_every_room() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (room, _) in ROOMS {
        assert!(map.contains(&format!("`{room}")), "ARCHITECTURE.md does not speak of `{room}`");
    }
}
