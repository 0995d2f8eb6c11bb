// SPDX-License-Identifier: Apache-2.0
//! The table in `docs/from-bcc.md` is that of the tables that are kept.

use std::fmt::Write as _;

use super::super::harness::root_folder;

const PAGE: &str = "docs/from-bcc.md";
const BEGIN: &str = "<!-- the scripts; BPFLUA_UPDATE=1 writes them -->\n";
const END: &str = "<!-- end of the scripts -->\n";
/// The kernels of the table; under the first, what runs on the machine itself has no kprobes.
const KERNELS: [&str; 3] = ["6.18", "6.1", "6.12"];
const PARTS: [(&str, &str); 3] = [("examples", "examples/lua"), ("tools", "tools"), ("tests", "tests/lua")];

fn kept(name: &str) -> String {
    std::fs::read_to_string(root_folder().join("tests/conformance/tables").join(name)).unwrap_or_default()
}

/// The cells of a table's rows whose second is an answer.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = cells.map(|line| line.split(" | ").collect::<Vec<&str>>());
    rows.filter(|row| row.get(1).is_some_and(|word| ["yes", "no", "-"].contains(word))).collect()
}

fn answer<'a>(rows: &[Vec<&'a str>], name: &str) -> (&'a str, &'a str) {
    let found = rows.iter().find(|row| row[0] == name);
    found.map_or(("-", ""), |row| (row[1], row.get(2).copied().unwrap_or_default()))
}

fn made() -> String {
    let mut text =
        "\n| script | 6.18, without kprobes | 6.1 | 6.12 | bcc-lua on 6.1 | why not |\n|---|---|---|---|---|---|\n"
            .to_owned();
    let peer = kept("peer-lua-6.1.md");
    for (part, folder) in PARTS {
        let tables = KERNELS.map(|kernel| kept(&format!("lua-{part}-{kernel}.snap")));
        let tables = [0, 1, 2].map(|number: usize| rows(&tables[number]));
        for row in &tables[1] {
            let answers = [0, 1, 2].map(|number: usize| answer(&tables[number], row[0]));
            let theirs = rows(&peer).into_iter().find(|theirs| theirs[0] == format!("{folder}/{}", row[0]));
            let their_word = theirs.as_ref().map_or("-", |theirs| theirs[2]);
            let mut why: Vec<String> = Vec::new();
            for (_, reason) in answers.iter().filter(|(word, _)| *word == "no") {
                if !why.contains(&(*reason).to_owned()) {
                    why.push((*reason).to_owned());
                }
            }
            let of_peer = theirs.as_ref().and_then(|theirs| theirs.get(3)?.split("<br>").last());
            why.extend(of_peer.filter(|reason| reason.starts_with("bcc-lua: ")).map(str::to_owned));
            let words = answers.map(|(word, _)| word).join(" | ");
            let _ = writeln!(text, "| {folder}/{} | {words} | {their_word} | {} |", row[0], why.join("; "));
        }
    }
    text + "\n"
}

#[test]
fn the_page_for_users_of_bcc_has_the_tables() {
    let path = root_folder().join(PAGE);
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).expect("the mark before the table");
    let (table, tail) = rest.split_once(END).expect("the mark behind the table");
    let made = made();
    if std::env::var_os("BPFLUA_UPDATE").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{made}{END}{tail}")).unwrap();
        return;
    }
    assert!(table == made, "{PAGE} has not the tables of tests/conformance/tables: run this test with BPFLUA_UPDATE=1");
}
