// SPDX-License-Identifier: Apache-2.0
//! The tools have the options that bcc's tools of the same names have: `tests/conformance/tables/options.txt` is what
//! `tests/conformance/options` finds in Debian's package.

use std::collections::BTreeMap;
use std::process::Command;

use super::harness::{bpflua, root_folder, skip};

/// Options that no tool here has, or one has not, and why.
const EXCEPTIONS: [(&str, &str, &str); 3] = [
    (
        "*",
        "--ebpf",
        "it prints the C text that bcc has put together and ends; here that text stands in the tool's file",
    ),
    ("exitsnoop", "--timespec", "its own help does not name it; the time is in the columns of `--json`"),
    ("tcpstates", "-Y/--journal", "`bpflua tcpstates --json | systemd-cat` writes to the journal"),
];

fn is_exception(tool: &str, option: &str) -> bool {
    EXCEPTIONS.iter().any(|(of, name, why)| (*of == "*" || *of == tool) && *name == option && !why.is_empty())
}

/// The flags that a tool's help names, and whether they take a value; and how many values it takes by their place.
fn taken(tool: &str) -> (BTreeMap<String, bool>, usize) {
    let help = bpflua([tool, "--help"]).run().expect(0).stdout;
    let flag = regex::Regex::new(r"^ +(-[^ ,]+)( [A-Z{][^ ,]*)?(?:, (--[^ ,]+)( [A-Z{][^ ,]*)?)?").unwrap();
    let (mut flags, mut places, mut section) = (BTreeMap::new(), 0, String::new());
    for line in help.lines() {
        // What goes on from a line stands further to the right than names do.
        let indent = line.len() - line.trim_start().len();
        if indent == 0 {
            line.clone_into(&mut section);
        } else if let Some(names) = flag.captures(line) {
            let has_value = names.get(2).or(names.get(4)).is_some();
            flags.extend([1, 3].iter().filter_map(|at| Some((names.get(*at)?.as_str().to_owned(), has_value))));
        } else if section == "Arguments:" && indent == 3 {
            places += 1;
        }
    }
    (flags, places)
}

fn table() -> String {
    std::fs::read_to_string(root_folder().join("tests/conformance/tables/options.txt")).unwrap()
}

#[test]
fn every_option_of_bccs_tools_is_there() {
    let mut missing = Vec::new();
    for line in table().lines() {
        let (tool, options) = line.split_once(':').unwrap();
        let (flags, places) = taken(tool);
        let options: Vec<&str> = options.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
        let wanted = options.iter().filter(|option| option.starts_with('<')).count();
        if wanted > places {
            missing.push(format!("{tool}: {wanted} values by their places, not {places}"));
        }
        for option in options.iter().filter(|option| option.starts_with('-')) {
            let (names, has_value) = option.strip_suffix('=').map_or((*option, false), |names| (names, true));
            let is_there = names.split('/').all(|name| flags.get(name) == Some(&has_value));
            if !is_there && !is_exception(tool, names) {
                missing.push(format!("{tool}: {option}"));
            }
        }
    }
    assert!(missing.is_empty(), "options that bcc's tools have:\n{}", missing.join("\n"));
}

#[test]
fn the_table_of_options_is_that_of_the_package() {
    let cache = std::env::var_os("BPFLUA_VM_CACHE").map_or_else(|| root_folder().join(".vm-cache"), Into::into);
    let folder = cache.join("conformance/bpfcc-tools");
    let packages = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let Some(package) = packages.map(|entry| entry.path()).max() else {
        return skip("tests/conformance/fetch has not fetched the package of bcc's tools");
    };
    let mut command = Command::new(root_folder().join("tests/conformance/options"));
    let output = command.arg(package).arg(root_folder().join("scripts/tools")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), table());
}
