// SPDX-License-Identifier: Apache-2.0
//! `tests/lua/README.md`: which test here is for which of bcc's, and for what of its API. Every file that it names is there, and
//! has what the table says; every section of tests has as many cases as its heading. A case without a test has `none` in the
//! place of its file, and the reason. `tests/conformance/rewriter.md` has the same of what bcc makes of a text.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use regex::Regex;

use super::harness::root_folder;
use super::reference::surface;

/// bcc's test files, and their cases.
const FILES: usize = 41 + 17;
const CASES: usize = 272 + 65;
/// Cases about files inside of archives.
const WITHOUT_TEST: usize = 5;

/// Rows about bcc's API, which stand before those about its tests.
const API_ROWS: usize = 136;
/// Names in the tables of `docs/from-bcc.md`.
const NAMES: usize = 134;
/// Rows about what bcc makes of a text, and those of them that no test can show.
const REWRITER_ROWS: usize = 141;
const REWRITER_WITHOUT_TEST: usize = 2;
const TESTS: &str = "## What bcc tests, and what tests it here";

struct Section {
    name: String,
    cases: usize,
    rows: Vec<[String; 3]>,
}

/// A row's three cells: what is tested, the file, the tests.
fn row() -> Regex {
    Regex::new(r"^\| `([^`]+)` \| `([^`]+)` \| (.+) \|$").unwrap()
}

fn sections(text: &str) -> Vec<Section> {
    let heading = Regex::new(r"^### `([\w.]+)` \((\d+)\)$").unwrap();
    let row = row();
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines() {
        if let Some(found) = heading.captures(line) {
            sections.push(Section { name: found[1].to_owned(), cases: found[2].parse().unwrap(), rows: Vec::new() });
        } else if let Some(found) = row.captures(line) {
            sections.last_mut().unwrap().rows.push([1, 2, 3].map(|cell| found[cell].to_owned()));
        }
    }
    sections
}

/// What the file of a row lacks of the tests that it names.
#[derive(Default)]
struct Files {
    texts: HashMap<PathBuf, String>,
}

impl Files {
    fn lacking(&mut self, case: &str, file: &str, tests: &str) -> Vec<String> {
        let path = root_folder().join("tests/lua").join(file);
        let text = self.texts.entry(path.clone()).or_insert_with(|| read(&path));
        let piece = Regex::new("`([^`]+)`").unwrap();
        let mut pieces = piece.captures_iter(tests).peekable();
        if pieces.peek().is_none() {
            return vec![format!("{case}: no test is named")];
        }
        let missing = pieces.filter(|piece| !text.contains(&piece[1]));
        missing.map(|piece| format!("{case}: `{}` is not in {file}", &piece[1])).collect()
    }
}

fn page() -> String {
    std::fs::read_to_string(root_folder().join("tests/lua/README.md")).unwrap()
}

#[test]
fn every_test_of_bcc_has_one_here() {
    let page = page();
    let sections = sections(page.split_once(TESTS).unwrap().1);
    let (mut files, mut wrong) = (Files::default(), Vec::new());
    let mut without = 0;
    for Section { name, cases, rows } in &sections {
        if rows.len() != *cases {
            wrong.push(format!("{name}: {} rows for {cases} cases", rows.len()));
        }
        for [case, file, tests] in rows {
            if file == "none" {
                without += 1;
            } else {
                wrong.extend(files.lacking(&format!("{name}.{case}"), file, tests));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let cases: usize = sections.iter().map(|section| section.cases).sum();
    assert_eq!((sections.len(), cases, without), (FILES, CASES, WITHOUT_TEST), "files and cases of bcc's");
}

#[test]
fn what_bccs_api_has_is_tested_here() {
    let page = page();
    let (row, mut files) = (row(), Files::default());
    let rows: Vec<_> = page.split_once(TESTS).unwrap().0.lines().filter_map(|line| row.captures(line)).collect();
    let wrong: Vec<String> = rows.iter().flat_map(|row| files.lacking(&row[1], &row[2], &row[3])).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(rows.len(), API_ROWS, "rows about bcc's API");
}

#[test]
fn what_bcc_makes_of_a_text_is_tested_here() {
    let page = std::fs::read_to_string(root_folder().join("tests/conformance/rewriter.md")).unwrap();
    let row = Regex::new(r"^\| ([^|]+) \| (\w+)[^|]* \| `([^`]+)` \| (.+) \|$").unwrap();
    let (mut files, mut wrong, mut without) = (Files::default(), Vec::new(), 0);
    let lines =
        page.lines().filter(|line| line.starts_with('|') && !line.starts_with("| rule ") && !line.starts_with("|-"));
    let rows: Vec<_> = lines.map(|line| row.captures(line).unwrap_or_else(|| panic!("no row: {line}"))).collect();
    for row in &rows {
        if !["same", "better", "different"].contains(&&row[2]) {
            wrong.push(format!("{}: `{}` is no verdict", &row[1], &row[2]));
        }
        if &row[3] == "none" {
            without += 1;
        } else {
            wrong.extend(files.lacking(&row[1], &row[3], &row[4]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((rows.len(), without), (REWRITER_ROWS, REWRITER_WITHOUT_TEST), "rows, and those without a test");
}

/// Every name of bcc's that `docs/from-bcc.md` lists is a function here, and is called in a test.
#[test]
fn the_page_for_users_of_bcc_lists_names_that_there_are() {
    let page = std::fs::read_to_string(root_folder().join("docs/from-bcc.md")).unwrap();
    let row = Regex::new(r"^\| .+ \| `(\w+[:.])NAME\(…?\)` \| (.+) \|$").unwrap();
    let known: HashSet<String> =
        surface().0.into_iter().filter_map(|one| Some(one.split_once('(')?.0.to_owned())).collect();
    let tests: String =
        std::fs::read_dir(root_folder().join("tests/lua")).unwrap().map(|file| read(&file.unwrap().path())).collect();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for found in page.lines().filter_map(|line| row.captures(line)) {
        for name in found[2].split(", ").map(|name| name.trim_matches('`')) {
            count += 1;
            if !known.contains(&format!("{}{name}", &found[1])) {
                wrong.push(format!("there is no `{}{name}`", &found[1]));
            }
            if !Regex::new(&format!(r#"[.:"]{name}\b"#)).unwrap().is_match(&tests) {
                wrong.push(format!("no test calls `{name}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(count, NAMES, "names in the table");
}

/// Nothing for a file that is not there: then none of its tests is found.
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
