// SPDX-License-Identifier: Apache-2.0
//! bcc's own Lua scripts, unmodified: those of `examples/lua`, `tools/*.lua` and `tests/lua` that have bcc-lua's contract.
//!
//! Each is given work to see, and judged by what it prints of that work. What came of it is kept in
//! `tests/conformance/tables`, one table for each folder and kernel. None of the scripts is kept here: see [`scripts`] for
//! where they come from.

mod examples;
mod luaunit;
mod outcome;
mod page;
mod peer;
mod scripts;
mod table;
mod tools;
mod work;

use super::harness::{Need, missing, skip};
use outcome::Outcome;
use scripts::{Launcher, Scripts};

/// What the runs take of a machine. Programs of their own are probed, on x86-64.
const NEEDS: [Need; 7] =
    [Need::Root, Need::Btf, Need::Tracefs, Need::Uprobes, Need::X86, Need::Tool("gcc"), Need::Tool("script")];

/// One run of a script.
struct Case {
    /// The script, by its name in its folder.
    script: &'static str,
    /// Its arguments, as a table shows them.
    arguments: &'static str,
    /// Runs it over work, and says what it printed of it.
    run: fn(&Launcher) -> Outcome,
}

/// A row of a table: the script with its arguments, and what came of it.
type Row = (String, Outcome);

fn run_cases(cases: &[Case], launcher: &Launcher) -> Vec<Row> {
    let row = |case: &Case| (format!("{} {}", case.script, case.arguments).trim().to_owned(), (case.run)(launcher));
    cases.iter().map(row).collect()
}

/// The scripts of a folder of bcc's, or nothing, when the reason was printed.
fn find(folder: &'static str) -> Option<Scripts> {
    if missing(&NEEDS) {
        return None;
    }
    match Scripts::find(folder) {
        Ok(scripts) => Some(scripts),
        Err(why) => {
            skip(&why);
            None
        }
    }
}

#[test]
fn root_bcc_lua_examples() {
    let Some(scripts) = find(examples::FOLDER) else { return };
    let rows = run_cases(&examples::CASES, &Launcher::bpflua(&scripts));
    table::check("examples", &scripts, &examples::CASES, &rows);
}

#[test]
fn root_bcc_lua_tools() {
    let Some(scripts) = find(tools::FOLDER) else { return };
    let rows = run_cases(&tools::CASES, &Launcher::bpflua(&scripts));
    table::check("tools", &scripts, &tools::CASES, &rows);
}

#[test]
fn root_bcc_lua_tests() {
    let Some(scripts) = find(luaunit::FOLDER) else { return };
    let launcher = Launcher::bpflua(&scripts);
    let mut rows = luaunit::run_all(&launcher);
    rows.push(("test_standalone.sh".to_owned(), luaunit::standalone(&launcher)));
    table::check("tests", &scripts, &[], &rows);
}
