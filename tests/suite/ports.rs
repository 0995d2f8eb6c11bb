// SPDX-License-Identifier: Apache-2.0
//! `tests/lua/README.md`: which test here is for which of bcc's. Every file that it names is there, and has what the table
//! says; every section has as many cases as its heading. A case without a test has `none` in the place of its file, and the
//! reason.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::harness::root_folder;

/// bcc's test files, and their cases.
const FILES: usize = 41 + 17;
const CASES: usize = 272 + 65;
/// Cases about files inside of archives, and about a variable of bcc's own.
const WITHOUT_TEST: usize = 6;

struct Section {
    name: String,
    cases: usize,
    rows: Vec<[String; 3]>,
}

fn sections(text: &str) -> Vec<Section> {
    let heading = Regex::new(r"^### `([\w.]+)` \((\d+)\)$").unwrap();
    let row = Regex::new(r"^\| `([^`]+)` \| `([^`]+)` \| (.+) \|$").unwrap();
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

#[test]
fn every_test_of_bcc_has_one_here() {
    let folder = root_folder().join("tests/lua");
    let sections = sections(&std::fs::read_to_string(folder.join("README.md")).unwrap());
    let piece = Regex::new("`([^`]+)`").unwrap();
    let (mut files, mut wrong): (HashMap<PathBuf, String>, _) = (HashMap::new(), Vec::new());
    let mut without = 0;
    for Section { name, cases, rows } in &sections {
        if rows.len() != *cases {
            wrong.push(format!("{name}: {} rows for {cases} cases", rows.len()));
        }
        for [case, file, tests] in rows {
            if file == "none" {
                without += 1;
                continue;
            }
            let path = folder.join(file);
            let text = files.entry(path.clone()).or_insert_with(|| read(&path));
            let mut pieces = piece.captures_iter(tests).peekable();
            if pieces.peek().is_none() {
                wrong.push(format!("{name}.{case}: no test is named"));
            }
            let missing = pieces.filter(|piece| !text.contains(&piece[1]));
            wrong.extend(missing.map(|piece| format!("{name}.{case}: `{}` is not in {file}", &piece[1])));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let cases: usize = sections.iter().map(|section| section.cases).sum();
    assert_eq!((sections.len(), cases, without), (FILES, CASES, WITHOUT_TEST), "files and cases of bcc's");
}

/// Nothing for a file that is not there: then none of its tests is found.
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
